//! The table, `results.json` and the plots.

use crate::large::Large;
use crate::plot;
use crate::single::{Start, Warm};
use crate::storm::Storm;
use serde_json::{Value, json};
use spot_rescue_bench::planning::Planning;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Command;

#[derive(Debug, Default)]
pub struct Results {
    pub large: Option<Large>,
    pub planning: Option<Planning>,
    pub start: Option<Start>,
    pub baseline_start: Option<Start>,
    pub zip_mb: f64,
    pub warm: BTreeMap<u64, Warm>,
    pub baseline_warm: BTreeMap<u64, Warm>,
    pub storm: BTreeMap<usize, Storm>,
    /// The same with `spot-rescue:protect=always`.
    pub storm_protected_always: BTreeMap<usize, Storm>,
}

impl Results {
    pub fn print(&self) {
        self.print_start();
        self.print_warm();
        self.print_storms();
        if let Some(it) = &self.large {
            println!(
                "\na rescue beside {} snapshots, {} volumes and {} target groups of others: {} calls, alone {}",
                it.snapshots, it.volumes, it.target_groups, it.calls_among_others, it.calls_alone
            );
            for (call, (alone, among)) in &it.differing {
                println!("    {call:<34}{among:>8}{alone:>11} alone");
            }
        }
        if let Some(it) = &self.planning {
            println!("\nparsing and planning, one core");
            for (size, rate) in &it.per_second {
                println!("  {size:>6} messages  {rate:>9.0} per second");
            }
            println!(
                "  {} ns to parse, {} ns to plan, {} allocations, {} bytes a message",
                it.nanoseconds_per_parse,
                it.nanoseconds_per_plan,
                it.allocations_per_message,
                it.bytes_per_message
            );
        }
    }

    fn print_start(&self) {
        let (Some(ours), Some(theirs)) = (&self.start, &self.baseline_start) else {
            return;
        };
        println!("start                                    ours   baseline     ratio");
        for (name, of) in [
            (
                "process start to first request, ms",
                (|it| it.cold_start_ms) as fn(&Start) -> f64,
            ),
            ("first warning cold, all sent, ms", |it| it.first_warning_ms),
            ("peak memory, MB", |it| it.peak_mb),
        ] {
            let (a, b) = (of(ours), of(theirs));
            println!("  {name:<36}{a:>8.1}{b:>11.1}{:>9.1}x", b / a);
        }
        println!("  {:<36}{:>8.2}", "zip, MB", self.zip_mb);
    }

    fn print_warm(&self) {
        for (latency, ours) in &self.warm {
            println!("\na warning, warm, every call {latency} ms       ours   baseline     ratio");
            let theirs = self.baseline_warm.get(latency);
            let none = f64::NAN;
            for (name, of) in [
                (
                    "all protective calls sent, ms",
                    (|it| it.protective_sent_ms) as fn(&Warm) -> f64,
                ),
                ("all acknowledged, ms", |it| it.protective_acked_ms),
                ("one after another (depth)", |it| it.depth as f64),
                ("calls in the invocation", |it| it.calls as f64),
                ("invocation, ms", |it| it.invocation_ms),
            ] {
                let (a, b) = (of(ours), theirs.map_or(none, of));
                println!("  {name:<36}{a:>8.1}{b:>11.1}{:>9.1}x", b / a);
            }
            for (call, (sent, acked)) in &ours.each_ms {
                println!("    {call:<34}{sent:>8.1} sent {acked:>7.1} acknowledged");
            }
        }
    }

    fn print_storms(&self) {
        if self.storm.is_empty() {
            return;
        }
        println!(
            "\nstorms, published request rates enforced: AWS's seconds until all are … (ideal)"
        );
        println!(
            "  {:>5} {:>17} {:>17} {:>17} {:>17} {:>17} {:>17} {:>6} {:>8} {:>9} {:>5} {:>7} {:>4}",
            "N",
            "deregistered",
            "preserved",
            "safe",
            "snapshotted",
            "launched",
            "back in service",
            "ratio",
            "calls/N",
            "throttled",
            "lost",
            "rss MB",
            "x"
        );
        for it in self
            .storm
            .values()
            .chain(self.storm_protected_always.values())
        {
            let mark = if it.protected_always { "*" } else { "" };
            let count = format!("{}{mark}", it.instances);
            let cell = |seconds: f64, name: &str| format!("{seconds:.2} ({:.2})", it.ideal[name]);
            println!(
                "  {count:>5} {:>17} {:>17} {:>17} {:>17} {:>17} {:>17} {:>6.2} {:>8.1} {:>9} {:>5} {:>7.1} {:>4}",
                cell(it.seconds_to_deregistered, "deregistered"),
                cell(it.seconds_to_preserved, "preserved"),
                cell(it.seconds_to_safe, "safe"),
                cell(it.seconds_to_snapshotted, "snapshotted"),
                cell(it.seconds_to_launched, "launched"),
                cell(it.seconds_to_back_in_service, "back in service"),
                it.ratio_to_ideal,
                it.calls_per_interruption,
                it.throttled,
                it.lost,
                it.peak_mb,
                it.time_compression,
            );
            if it.ideal["preserved"] > 120.0 {
                let [kept, copied, either] = it.within_two_minutes;
                let saved = it.saved_by_snapshot;
                let out = it.deregistered_within_two_minutes;
                println!(
                    "        within two minutes {out} targets were out, {kept} had their flags off and {copied} their snapshots, {either} either; {saved} volumes went with their instance and are in a snapshot"
                );
            }
        }
        println!(
            "  *: spot-rescue:protect=always; x: time compression, buckets alike; the function's own waits are not compressed"
        );
    }

    pub fn write(&self) -> io::Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = serde_json::to_string_pretty(&self.json())?;
        std::fs::write(folder.join("results.json"), text + "\n")?;
        let storms: Vec<Storm> = self.storm.values().cloned().collect();
        std::fs::write(folder.join("time.svg"), plot::time(&storms))?;
        std::fs::write(folder.join("calls.svg"), plot::calls(&storms))
    }

    fn json(&self) -> Value {
        let of = |it: &BTreeMap<u64, Warm>, get: fn(&Warm) -> f64| -> BTreeMap<u64, f64> {
            it.iter().map(|(latency, it)| (*latency, get(it))).collect()
        };
        let acked = of(&self.warm, |it| it.protective_acked_ms);
        let theirs = of(&self.baseline_warm, |it| it.protective_acked_ms);
        let ratio = |latency: &u64| Some(theirs.get(latency)? / acked.get(latency)?);
        let ratios: BTreeMap<u64, f64> = acked
            .keys()
            .filter_map(|it| Some((*it, ratio(it)?)))
            .collect();
        let start = |it: &Option<Start>| it.as_ref().map_or(f64::NAN, |it| it.cold_start_ms);
        let peak = self.storm.values().map(|it| it.peak_mb).fold(0.0, f64::max);
        json!({
            "machine": machine(),
            "date": output("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]),
            "commit": output("git", &["describe", "--always", "--dirty", "--abbrev=40"]),
            "cold_start_ms": start(&self.start),
            "cold_ratio": start(&self.baseline_start) / start(&self.start),
            "warm_ratio": ratio(&20),
            "warm_ratios": ratios,
            "protective_depth": self.warm.get(&20).map(|it| it.depth),
            "protective_sent_ms": of(&self.warm, |it| it.protective_sent_ms),
            "protective_acked_ms": acked,
            "storm": self.storm,
            "storm_protected_always": self.storm_protected_always,
            "plan_per_second": self.planning.as_ref().and_then(|it| it.per_second.get(&15_000)),
            "rss_mb": self.storm.get(&1000).map_or(peak, |it| it.peak_mb),
            "zip_mb": self.zip_mb,
            "details": {
                "start": self.start, "baseline_start": self.baseline_start,
                "warm": self.warm, "baseline_warm": self.baseline_warm, "planning": self.planning, "large": self.large,
            },
        })
    }
}

fn machine() -> Value {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|it| it.strip_prefix("model name")?.split_once(": "));
    json!({
        "processor": model.map(|it| it.1),
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "system": output("uname", &["-srm"]),
        "load": std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim(),
    })
}

fn output(program: &str, arguments: &[&str]) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output();
    let output = output.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
    output.unwrap_or_default()
}

/// Megabytes (10^6 bytes) of the zip that Lambda would take.
pub fn zipped(binary: &str) -> io::Result<f64> {
    let script = "import io,sys,zipfile;b=io.BytesIO();z=zipfile.ZipFile(b,'w',zipfile.ZIP_DEFLATED);z.write(sys.argv[1],'bootstrap');z.close();print(b.getbuffer().nbytes)";
    let bytes = output("python3", &["-c", script, binary]);
    let bytes: f64 = bytes.parse().map_err(io::Error::other)?;
    Ok((bytes / 1e4).round() / 100.0)
}
