//! The settings file of `cartdock run` for a run, made from the same connections that the functions find in their table.

use domain::connection::{Connection, SettingMap};

use super::plan::{PACE, POLL, SWEEP};

/// The whole file.
pub(super) fn file(listen: &str, hosts: &[String], connections: &[Connection]) -> String {
    let hosts: Vec<String> = hosts.iter().map(|host| format!("\"{host}\"")).collect();
    let pace: String = PACE.iter().map(|(name, millis)| format!("{name} = {millis}\n")).collect();
    let connections: String = connections.iter().map(table).collect();
    format!(
        "data_dir = \"data\"\n[server]\nlisten = \"{listen}\"\n[network]\nlocal_hosts = [{}]\n[pace]\n{pace}sweep_ms = \
         {}\npoll_ms = {}\n{connections}",
        hosts.join(", "),
        SWEEP.as_millis(),
        POLL.as_millis()
    )
}

fn table(connection: &Connection) -> String {
    let Connection { id, name, enabled, store, warehouse, policies, schedule, .. } = connection;
    let start = policies.start.map(|start| start.to_string()).unwrap_or_default();
    format!(
        "[[connection]]\nid = \"{id}\"\nname = \"{name}\"\nenabled = {enabled}\n[connection.store]\n{}\
         [connection.warehouse]\n{}[connection.policies]\nstart = \"{start}\"\n[connection.schedule]\n\
         orders_minutes = {}\nshipments_minutes = {}\noverlap_minutes = {}\n",
        side(store),
        side(warehouse),
        schedule.orders_minutes,
        schedule.shipments_minutes,
        schedule.overlap_minutes
    )
}

/// One side's settings. What has parts besides is a table, and its own value its kind.
fn side(settings: &SettingMap) -> String {
    let is_part_of =
        |name: &str, other: &str| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    let line = |(name, value): (&String, &String)| {
        let kind = if settings.keys().any(|other| is_part_of(name, other)) { ".kind" } else { "" };
        match value.parse::<u32>() {
            Ok(number) => format!("{name}{kind} = {number}\n"),
            Err(_) => format!("{name}{kind} = \"{value}\"\n"),
        }
    };
    settings.iter().map(line).collect()
}
