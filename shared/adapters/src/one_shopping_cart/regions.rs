//! ISO 3166-2 regions, by country, of the countries whose carriers want them coded.

/// A region: its code (the part after the hyphen) and its names, the usual one first.
type Region = (&'static str, &'static [&'static str]);

/// Countries with their regions.
#[rustfmt::skip]
pub(super) const REGIONS: &[(&str, &[Region])] = &[
    ("US", &[
        ("AL", &["Alabama"]), ("AK", &["Alaska"]), ("AZ", &["Arizona"]), ("AR", &["Arkansas"]), ("CA", &["California"]),
        ("CO", &["Colorado"]), ("CT", &["Connecticut"]), ("DE", &["Delaware"]), ("FL", &["Florida"]), ("GA", &["Georgia"]),
        ("HI", &["Hawaii", "Hawai'i"]), ("ID", &["Idaho"]), ("IL", &["Illinois"]), ("IN", &["Indiana"]), ("IA", &["Iowa"]),
        ("KS", &["Kansas"]), ("KY", &["Kentucky"]), ("LA", &["Louisiana"]), ("ME", &["Maine"]), ("MD", &["Maryland"]),
        ("MA", &["Massachusetts"]), ("MI", &["Michigan"]), ("MN", &["Minnesota"]), ("MS", &["Mississippi"]),
        ("MO", &["Missouri"]), ("MT", &["Montana"]), ("NE", &["Nebraska"]), ("NV", &["Nevada"]), ("NH", &["New Hampshire"]),
        ("NJ", &["New Jersey"]), ("NM", &["New Mexico"]), ("NY", &["New York", "New York State"]), ("NC", &["North Carolina"]),
        ("ND", &["North Dakota"]), ("OH", &["Ohio"]), ("OK", &["Oklahoma"]), ("OR", &["Oregon"]), ("PA", &["Pennsylvania"]),
        ("RI", &["Rhode Island"]), ("SC", &["South Carolina"]), ("SD", &["South Dakota"]), ("TN", &["Tennessee"]),
        ("TX", &["Texas"]), ("UT", &["Utah"]), ("VT", &["Vermont"]), ("VA", &["Virginia"]),
        ("WA", &["Washington", "Washington State"]), ("WV", &["West Virginia"]), ("WI", &["Wisconsin"]), ("WY", &["Wyoming"]),
        ("DC", &["District of Columbia", "Washington DC", "Washington D.C."]),
        ("AS", &["American Samoa"]), ("GU", &["Guam"]), ("MP", &["Northern Mariana Islands", "Northern Marianas"]),
        ("PR", &["Puerto Rico"]), ("VI", &["Virgin Islands", "U.S. Virgin Islands", "US Virgin Islands", "Virgin Islands of the U.S."]),
        ("UM", &["United States Minor Outlying Islands", "U.S. Minor Outlying Islands"]),
        // Military addresses: codes of the postal service, not of ISO.
        ("AA", &["Armed Forces Americas", "Armed Forces the Americas", "Armed Forces (AA)", "Armed Forces - AA"]),
        ("AE", &["Armed Forces Europe", "Armed Forces Africa", "Armed Forces Canada", "Armed Forces Middle East",
                 "Armed Forces Europe, the Middle East, and Canada", "Armed Forces (AE)", "Armed Forces Other"]),
        ("AP", &["Armed Forces Pacific", "Armed Forces (AP)"]),
    ]),
    ("CA", &[
        ("AB", &["Alberta"]), ("BC", &["British Columbia", "Colombie-Britannique"]), ("MB", &["Manitoba"]),
        ("NB", &["New Brunswick", "Nouveau-Brunswick"]),
        ("NL", &["Newfoundland and Labrador", "Newfoundland & Labrador", "Newfoundland", "Labrador", "NF", "Terre-Neuve-et-Labrador"]),
        ("NS", &["Nova Scotia", "Nouvelle-Écosse"]),
        ("NT", &["Northwest Territories", "North West Territories", "NWT", "Territoires du Nord-Ouest"]),
        ("NU", &["Nunavut"]), ("ON", &["Ontario"]), ("PE", &["Prince Edward Island", "PEI", "Île-du-Prince-Édouard"]),
        ("QC", &["Quebec", "Québec", "PQ"]), ("SK", &["Saskatchewan"]), ("YT", &["Yukon", "Yukon Territory", "YK"]),
    ]),
    ("AU", &[
        ("ACT", &["Australian Capital Territory"]), ("NSW", &["New South Wales"]), ("NT", &["Northern Territory"]),
        ("QLD", &["Queensland"]), ("SA", &["South Australia"]), ("TAS", &["Tasmania"]), ("VIC", &["Victoria"]),
        ("WA", &["Western Australia"]),
    ]),
    ("MX", &[
        ("AGU", &["Aguascalientes"]), ("BCN", &["Baja California", "Baja California Norte"]), ("BCS", &["Baja California Sur"]),
        ("CAM", &["Campeche"]), ("CHP", &["Chiapas"]), ("CHH", &["Chihuahua"]),
        ("CMX", &["Ciudad de México", "Mexico City", "CDMX", "Distrito Federal", "DF"]),
        ("COA", &["Coahuila", "Coahuila de Zaragoza"]), ("COL", &["Colima"]), ("DUR", &["Durango"]),
        ("GUA", &["Guanajuato"]), ("GRO", &["Guerrero"]), ("HID", &["Hidalgo"]), ("JAL", &["Jalisco"]),
        ("MEX", &["México", "Estado de México", "State of Mexico"]), ("MIC", &["Michoacán", "Michoacán de Ocampo"]),
        ("MOR", &["Morelos"]), ("NAY", &["Nayarit"]), ("NLE", &["Nuevo León"]), ("OAX", &["Oaxaca"]), ("PUE", &["Puebla"]),
        ("QUE", &["Querétaro", "Querétaro de Arteaga"]), ("ROO", &["Quintana Roo"]), ("SLP", &["San Luis Potosí"]),
        ("SIN", &["Sinaloa"]), ("SON", &["Sonora"]), ("TAB", &["Tabasco"]), ("TAM", &["Tamaulipas"]),
        ("TLA", &["Tlaxcala"]), ("VER", &["Veracruz", "Veracruz de Ignacio de la Llave"]), ("YUC", &["Yucatán"]),
        ("ZAC", &["Zacatecas"]),
    ]),
];
