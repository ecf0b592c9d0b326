//! The calculation in `docs/scheduled.md`, done again from its own inputs.

const PAGE: &str = include_str!("../../docs/scheduled.md");

/// The cells of each line of the table with this heading.
fn table(first: &str) -> Vec<Vec<&'static str>> {
    let lines = PAGE.lines().skip_while(|line| !line.starts_with(&format!("| {first} |")));
    let lines = lines.skip(2).take_while(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn number(cell: &str) -> f64 {
    cell.replace(',', "").parse().unwrap_or_else(|_| panic!("{cell:?} is no number"))
}

fn input(name: &str) -> f64 {
    let inputs = table("input");
    number(inputs.iter().find(|line| line[0] == name).unwrap_or_else(|| panic!("no input {name:?}"))[1])
}

#[test]
fn the_capacity_follows_from_the_inputs() {
    let fleets = table("accounts");
    assert_eq!(fleets.len(), 5);
    for line in fleets {
        let figures: Vec<f64> = line.iter().map(|cell| number(cell)).collect();
        let [accounts, regions, with_clusters, clusters, node_groups, instances, results @ ..] = &figures[..]
        else {
            panic!("{line:?}");
        };
        let scopes = accounts * regions;
        let calls = 2.0 * accounts
            + 3.0 * scopes
            + 4.0 * with_clusters
            + 2.0 * clusters
            + node_groups
            + instances / 1000.0;
        let processor = calls * input("processor time of a call, ms") / 1e3
            + instances * input("processor time of an instance, µs") / 1e6;
        let depth = input("calls of a Region that depend on each other");
        let waiting = scopes * depth * input("time of a call, ms") / 1e3 / input("Regions read side by side");
        let time = processor.max(waiting);
        let memory = input("memory for one processor, MiB") / 1024.0;
        let price = time * memory * input("price of a GB-second, USD");
        for (told, calculated) in results.iter().zip([calls, processor, waiting, time]) {
            assert!((told - calculated).abs() <= 0.5, "{line:?}: {calculated:.0}");
        }
        assert!((results[4] - price).abs() < 0.00006, "{line:?}: {price:.4}");
    }
}
