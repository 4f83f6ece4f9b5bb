//! Made-up tracking numbers whose check digits are right, so that a reader which checks them accepts them.

/// A number of this carrier; the same serial gives the same number.
pub(super) fn for_carrier(carrier: &str, serial: u64) -> String {
    let (prefix, body, check): (&str, String, fn(&str) -> u32) = match carrier {
        "UPS" => ("1Z", format!("999AA103{:07}", serial % 10_000_000), ups),
        "USPS" => ("", format!("9400100000000{:08}", serial % 100_000_000), usps),
        "FedEx" => ("", format!("986{:08}", serial % 100_000_000), fedex),
        _ => return format!("SIM{serial:09}"),
    };
    format!("{prefix}{body}{}", check(&body))
}

/// Shipper, service and package: letters count as (code - 63) modulo 10, every second place doubly.
fn ups(body: &str) -> u32 {
    let sum = weighted(body.bytes(), &[1, 2]);
    (10 - sum % 10) % 10
}

/// Every second digit from the right of the body counts three times.
fn usps(body: &str) -> u32 {
    let sum = weighted(body.bytes().rev(), &[3, 1]);
    (10 - sum % 10) % 10
}

/// Weights 3, 1, 7 from the left, modulo 11, then 10.
fn fedex(body: &str) -> u32 {
    weighted(body.bytes(), &[3, 1, 7]) % 11 % 10
}

fn weighted(body: impl Iterator<Item = u8>, weights: &[u32]) -> u32 {
    let value =
        |letter: u8| u32::from(if letter.is_ascii_digit() { letter - b'0' } else { (letter - 63) % 10 });
    body.zip(weights.iter().cycle()).map(|(letter, weight)| value(letter) * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digits_of_the_carriers_published_samples_come_out() {
        assert_eq!(ups("5R8939035756712"), 7);
        assert_eq!(ups("879E93034683444"), 0);
        assert_eq!(usps("940011120108080548301"), 6);
        assert_eq!(fedex("98657878885"), 5);
        assert_eq!(fedex("47717908123"), 0);
    }

    #[test]
    fn numbers_have_the_length_of_their_carrier_and_differ() {
        for (carrier, length) in [("UPS", 18), ("USPS", 22), ("FedEx", 12), ("Other", 12)] {
            assert_eq!(for_carrier(carrier, 1).len(), length, "{carrier}");
            assert_ne!(for_carrier(carrier, 1), for_carrier(carrier, 2), "{carrier}");
        }
    }
}
