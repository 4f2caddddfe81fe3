//! Lines over two axes as an SVG of its own, readable on light and on dark ground.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
/// Around the axes: left, right (for the names), top, bottom.
const LEFT: f64 = 72.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 56.0;
/// Names keep at least this distance from each other.
const LINE: f64 = 18.0;
/// Steps of an axis, about.
const STEPS: f64 = 6.0;

const STYLE: &str = "
  .ground { fill: #ffffff } text { fill: #24292f; font: 13px system-ui, sans-serif } .title { font-weight: 600; font-size: 15px }
  .grid { stroke: #d8dee4 } .axis { stroke: #57606a } .line { fill: none; stroke-width: 2 }
  .s0 { --c: #0550ae } .s1 { --c: #bc4c00 } .s2 { --c: #8250df } .s3 { --c: #57606a }
  .line { stroke: var(--c) } .dot { fill: var(--c) } .name { fill: var(--c) }
  .s3.line { stroke-dasharray: 6 4 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .axis { stroke: #8b949e }
    .s0 { --c: #79c0ff } .s1 { --c: #ffa657 } .s2 { --c: #d2a8ff } .s3 { --c: #b1bac4 } .name { fill: var(--c) }
  }";

/// A line and its name.
pub struct Series {
    pub name: String,
    /// 0 to 3: the same for the same thing in every plot; 3 is dashed.
    pub look: usize,
    pub points: Vec<(f64, f64)>,
}

/// Both axes begin at 0.
pub struct Plot {
    pub title: String,
    pub x: String,
    pub y: String,
    pub series: Vec<Series>,
}

/// An axis from 0 to `most`, with a mark each `step`.
#[derive(Debug, PartialEq)]
struct Axis {
    most: f64,
    step: f64,
    digits: usize,
}

impl Axis {
    /// Round steps, of which there are about [`STEPS`].
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let most = values.fold(0.0, f64::max);
        let most = if most > 0.0 { most } else { 1.0 };
        let power = 10_f64.powf((most / STEPS).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| most / step <= STEPS);
        let step = step.unwrap_or(10.0 * power);
        let digits = if step < 1.0 { (-step.log10()).ceil() as usize } else { 0 };
        Self { most: (most / step).ceil() * step, step, digits }
    }

    fn marks(&self) -> impl Iterator<Item = f64> {
        let (step, count) = (self.step, (self.most / self.step).round() as u32);
        (0..=count).map(move |mark| f64::from(mark) * step)
    }
}

impl Plot {
    /// The whole file.
    pub fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| series.points.iter().copied());
        let (across, up) = (Axis::over(points().map(|(x, _)| x)), Axis::over(points().map(|(_, y)| y)));
        let x = |value: f64| LEFT + value / across.most * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - value / up.most * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">\n\
             <title>{0}</title>\n<style>{STYLE}\n</style>\n<rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
             <text class=\"title\" x=\"{LEFT}\" y=\"28\">{0}</text>\n",
            escaped(&self.title)
        );
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for mark in up.marks() {
            let (at, digits) = (y(mark), up.digits);
            let _ = writeln!(svg, "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/>");
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{mark:.digits$}</text>",
                LEFT - 8.0,
                at + 4.0
            );
        }
        for mark in across.marks() {
            let (at, digits) = (x(mark), across.digits);
            let _ = writeln!(
                svg,
                "<line class=\"axis\" x1=\"{at:.1}\" y1=\"{bottom}\" x2=\"{at:.1}\" y2=\"{}\"/>",
                bottom + 5.0
            );
            let _ = writeln!(
                svg,
                "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{mark:.digits$}</text>",
                bottom + 20.0
            );
        }
        let _ = writeln!(svg, "<path class=\"axis\" fill=\"none\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>");
        let middle = f64::midpoint(LEFT, right);
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - 14.0,
            escaped(&self.x)
        );
        let middle = f64::midpoint(TOP, bottom);
        let _ = writeln!(
            svg,
            "<text transform=\"translate(18 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            escaped(&self.y)
        );
        for series in &self.series {
            let class = format!("s{}", series.look);
            let line: Vec<String> = series.points.iter().map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
            let _ = writeln!(svg, "<polyline class=\"{class} line\" points=\"{}\"/>", line.join(" "));
            for (a, b) in &series.points {
                let _ =
                    writeln!(svg, "<circle class=\"{class} dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"/>", x(*a), y(*b));
            }
        }
        for (number, at) in self.name_places(&y) {
            let Some(series) = self.series.get(number) else { continue };
            let last = series.points.last().map_or(right, |(a, _)| x(*a));
            let _ = writeln!(
                svg,
                "<text class=\"s{} name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                series.look,
                last + 10.0,
                at + 4.0,
                escaped(&series.name)
            );
        }
        svg + "</svg>\n"
    }

    /// Where each series' name stands: beside its last point, moved apart where two would touch.
    fn name_places(&self, y: &dyn Fn(f64) -> f64) -> Vec<(usize, f64)> {
        let ends = self.series.iter().map(|series| series.points.last().map_or(0.0, |(_, value)| *value));
        let mut places: Vec<(usize, f64)> = ends.map(y).enumerate().collect();
        places.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut free_from = f64::NEG_INFINITY;
        for (_, at) in &mut places {
            *at = at.max(free_from);
            free_from = *at + LINE;
        }
        places
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_marks_that_hold_every_value() {
        let axis = Axis::over([0.27, 0.07].into_iter());
        assert_eq!((axis.digits, axis.marks().last().is_some_and(|last| (last - 0.3).abs() < 1e-9)), (2, true));
        assert_eq!(Axis::over([3000.0].into_iter()), Axis { most: 3000.0, step: 500.0, digits: 0 });
        assert_eq!(Axis::over(std::iter::empty()).most, 1.0);
    }

    #[test]
    fn every_series_has_its_line_and_a_name_of_its_own_place() {
        let series =
            |name: &str, last| Series { name: name.to_owned(), look: 0, points: vec![(0.0, 1.0), (10.0, last)] };
        let plot = Plot {
            title: "a < b".to_owned(),
            x: "x".to_owned(),
            y: "y".to_owned(),
            series: vec![series("one", 2.0), series("two", 2.0)],
        };
        let svg = plot.svg();
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains("a &lt; b") && svg.contains(">one<") && svg.contains(">two<"));
        let places = plot.name_places(&|value| value);
        assert!((places[0].1 - places[1].1).abs() >= LINE);
    }
}
