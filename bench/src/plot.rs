//! Two plots, as SVG of our own: lines over a logarithmic axis need no library.

use crate::storm::Storm;
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const MARGIN: f64 = 60.0;
const COLOURS: [&str; 5] = ["#c0392b", "#2471a3", "#1e8449", "#b7950b", "#7d3c98"];

type Seconds = fn(&Storm) -> f64;

/// One line of a plot.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
    dashed: bool,
}

/// Seconds until all instances are deregistered, preserved, snapshotted, launched; the ideals dashed.
pub fn time(storms: &[Storm]) -> String {
    let kinds: [(&str, Seconds); 4] = [
        ("deregistered", |it| it.seconds_to_deregistered),
        ("preserved", |it| it.seconds_to_preserved),
        ("snapshotted", |it| it.seconds_to_snapshotted),
        ("launched", |it| it.seconds_to_launched),
    ];
    let lines = kinds.into_iter().flat_map(|(name, of)| {
        let measured = line(name, storms, false, of);
        let ideal = line(&format!("{name}, ideal"), storms, true, |it| it.ideal[name]);
        [measured, ideal]
    });
    draw(
        "Seconds until all are …",
        "seconds",
        &lines.collect::<Vec<_>>(),
    )
}

/// Calls per interruption, and how many of them were throttled.
pub fn calls(storms: &[Storm]) -> String {
    let share = |it: &Storm| it.throttled as f64 / it.instances as f64;
    let lines = [
        line("calls per interruption", storms, false, |it| {
            it.calls_per_interruption
        }),
        line("of them throttled", storms, false, share),
    ];
    draw("Calls per interruption", "calls", &lines)
}

fn line(name: &str, storms: &[Storm], dashed: bool, of: impl Fn(&Storm) -> f64) -> Line {
    let points = storms.iter().map(|it| (it.instances as f64, of(it)));
    Line {
        name: name.to_owned(),
        points: points.filter(|it| it.1.is_finite()).collect(),
        dashed,
    }
}

fn draw(title: &str, unit: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|it| it.points.iter().copied());
    let most_x = all().map(|it| it.0).fold(10.0, f64::max).log10();
    let least_y = all()
        .map(|it| it.1.max(0.01))
        .fold(1.0, f64::min)
        .log10()
        .floor();
    let most_y = all().map(|it| it.1).fold(1.0, f64::max).log10().ceil();
    let x = |value: f64| MARGIN + value.log10() / most_x * (WIDTH - 4.0 * MARGIN);
    let y = |value: f64| {
        let share = (value.max(0.01).log10() - least_y) / (most_y - least_y).max(1.0);
        HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN)
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{MARGIN}\" y=\"30\" font-size=\"16\">{title}</text>\n"
    );
    let (left, right, bottom) = (x(1.0), x(10_f64.powf(most_x)), HEIGHT - MARGIN);
    let mut tick = least_y;
    while tick <= most_y {
        let value = 10_f64.powf(tick);
        let at = y(value);
        writeln!(svg, "<line x1=\"{left}\" y1=\"{at:.1}\" x2=\"{right:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>", left - 6.0, at + 4.0).ok();
        tick += 1.0;
    }
    let mut counts: Vec<f64> = all().map(|it| it.0).collect();
    counts.sort_by(f64::total_cmp);
    counts.dedup();
    for count in counts {
        writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{count}</text>",
            x(count),
            bottom + 18.0
        )
        .ok();
    }
    writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">interruptions at once</text><text x=\"{left}\" y=\"48\" text-anchor=\"end\">{unit}</text>", f64::midpoint(left, right), bottom + 40.0).ok();
    for (n, it) in lines.iter().enumerate() {
        let with_ideals = lines.iter().any(|it| it.dashed);
        let colour = COLOURS[if with_ideals { n / 2 } else { n } % COLOURS.len()];
        let dash = if it.dashed {
            " stroke-dasharray=\"5 4\""
        } else {
            ""
        };
        let points: Vec<String> = it
            .points
            .iter()
            .map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b)))
            .collect();
        let label = MARGIN + 20.0 * n as f64;
        writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
            points.join(" ")
        )
        .ok();
        writeln!(svg, "<line x1=\"{:.1}\" y1=\"{label}\" x2=\"{:.1}\" y2=\"{label}\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>", right + 16.0, right + 44.0, right + 50.0, label + 4.0, it.name).ok();
    }
    svg + "</svg>\n"
}
