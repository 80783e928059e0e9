//! A process tree as a BPMN 2.0 document with layout, which any modelling tool opens.
//!
//! ```text
//! ○──[open]──◇──[paste]──◇──[save]──◉       ◇ exclusive   ◈ parallel   one row per branch, left to right
//!            └──[type]───┘
//! ```

use std::fmt::Write;

use super::tree::ProcessTree;

/// Sizes of shapes and of the room between them, in pixels.
const TASK_WIDTH: i32 = 120;
const TASK_HEIGHT: i32 = 60;
const GATEWAY: i32 = 40;
const EVENT: i32 = 30;
const GAP: i32 = 40;

/// Letters in a line of a task's name in a picture, lines of it, and pixels from one to the next.
const SVG_LETTERS: usize = 17;
const SVG_LINES: usize = 3;
const SVG_LINE: i32 = 15;

/// Writes a tree as a BPMN document.
///
/// Shape: one start, one end, a task per activity of the tree; loops and choices are pairs of exclusive gateways. `name`
/// gives what an activity is called; `process` is the name of the whole.
///
/// ```
/// # use discovery::models::{ProcessTree, bpmn};
/// let text = bpmn(&ProcessTree::Activity(0), "Invoice", &|_| "open <file>".into());
/// assert!(text.contains("name=\"open &lt;file&gt;\""));
/// ```
pub fn bpmn(tree: &ProcessTree, process: &str, name: &dyn Fn(u32) -> String) -> String {
    Drawing::of(tree, name).write(process)
}

/// Draws the same document as a picture: SVG in the colour of the text around it.
///
/// Names longer than a shape are cut to [`SVG_LINES`] lines; each shape has its whole name as its title.
pub fn svg(tree: &ProcessTree, process: &str, name: &dyn Fn(u32) -> String) -> String {
    Drawing::of(tree, name).draw(process)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Start,
    End,
    Task(String),
    Exclusive,
    Parallel,
}

struct Shape {
    kind: Kind,
    left: i32,
    /// The middle of the shape, where flows arrive and leave.
    middle: i32,
}

impl Shape {
    fn size(&self) -> (i32, i32) {
        match self.kind {
            Kind::Start | Kind::End => (EVENT, EVENT),
            Kind::Task(_) => (TASK_WIDTH, TASK_HEIGHT),
            Kind::Exclusive | Kind::Parallel => (GATEWAY, GATEWAY),
        }
    }
}

struct Drawing<'a> {
    shapes: Vec<Shape>,
    flows: Vec<(usize, usize)>,
    name: &'a dyn Fn(u32) -> String,
}

/// Width and height that a tree takes.
fn size(tree: &ProcessTree) -> (i32, i32) {
    let sizes: Vec<(i32, i32)> = tree.children().iter().map(size).collect();
    let widest = sizes.iter().map(|size| size.0).max().unwrap_or(0);
    match tree {
        ProcessTree::Silent => (GATEWAY, GATEWAY + GAP),
        ProcessTree::Activity(_) => (TASK_WIDTH, TASK_HEIGHT + GAP),
        ProcessTree::Sequence(_) => (
            sizes.iter().map(|size| size.0 + GAP).sum::<i32>() - GAP,
            sizes.iter().map(|size| size.1).max().unwrap_or(0),
        ),
        _ => (widest + 2 * (GATEWAY + GAP), sizes.iter().map(|size| size.1).sum()),
    }
}

impl<'a> Drawing<'a> {
    /// A tree between its start and its end.
    fn of(tree: &ProcessTree, name: &'a dyn Fn(u32) -> String) -> Drawing<'a> {
        let mut drawing = Drawing { shapes: Vec::new(), flows: Vec::new(), name };
        let (width, height) = size(tree);
        let middle = GAP + height / 2;
        let start = drawing.shape(Kind::Start, GAP, middle);
        let (first, last) = drawing.place(tree, 2 * GAP + EVENT, middle);
        let end = drawing.shape(Kind::End, 3 * GAP + EVENT + width, middle);
        drawing.flow(start, first);
        drawing.flow(last, end);
        drawing
    }

    fn shape(&mut self, kind: Kind, left: i32, middle: i32) -> usize {
        self.shapes.push(Shape { kind, left, middle });
        self.shapes.len() - 1
    }

    fn flow(&mut self, from: usize, to: usize) {
        self.flows.push((from, to));
    }

    /// Draws a tree and gives its first and its last shape.
    fn place(&mut self, tree: &ProcessTree, left: i32, middle: i32) -> (usize, usize) {
        match tree {
            ProcessTree::Activity(activity) => {
                let name = (self.name)(*activity);
                let task = self.shape(Kind::Task(name), left, middle);
                (task, task)
            }
            // A choice of nothing needs a shape for flows to meet: a gateway with one way in and one out.
            ProcessTree::Silent => {
                let gateway = self.shape(Kind::Exclusive, left, middle);
                (gateway, gateway)
            }
            ProcessTree::Sequence(children) => self.place_sequence(children, left, middle),
            ProcessTree::Parallel(children) => self.place_block(children, Kind::Parallel, 0, (left, middle)),
            ProcessTree::Exclusive(children) => self.place_block(children, Kind::Exclusive, 0, (left, middle)),
            ProcessTree::Loop(children) => {
                let back = children.len() - 1;
                self.place_block(children, Kind::Exclusive, back, (left, middle))
            }
        }
    }

    fn place_sequence(&mut self, children: &[ProcessTree], mut left: i32, middle: i32) -> (usize, usize) {
        let mut ends: Option<(usize, usize)> = None;
        for child in children {
            let (first, last) = self.place(child, left, middle);
            if let Some((_, before)) = ends {
                self.flow(before, first);
            }
            ends = Some((ends.map_or(first, |ends| ends.0), last));
            left += size(child).0 + GAP;
        }
        ends.unwrap_or_else(|| self.place(&ProcessTree::Silent, left, middle))
    }

    /// Children below each other between two gateways; the last `back` of them lead from the second to the first.
    fn place_block(&mut self, children: &[ProcessTree], kind: Kind, back: usize, at: (i32, i32)) -> (usize, usize) {
        let (left, middle) = at;
        let widest = children.iter().map(|child| size(child).0).max().unwrap_or(0);
        let height: i32 = children.iter().map(|child| size(child).1).sum();
        let opened = self.shape(kind.clone(), left, middle);
        let closed = self.shape(kind, left + GATEWAY + 2 * GAP + widest, middle);
        let mut top = middle - height / 2;
        for (number, child) in children.iter().enumerate() {
            let (first, last) = self.place(child, left + GATEWAY + GAP, top + size(child).1 / 2);
            let is_back = number >= children.len() - back;
            let (from, to) = if is_back { (closed, opened) } else { (opened, closed) };
            self.flow(from, first);
            self.flow(last, to);
            top += size(child).1;
        }
        (opened, closed)
    }

    fn write(&self, process: &str) -> String {
        let mut text = String::from(concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
            "<bpmn:definitions xmlns:bpmn=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" ",
            "xmlns:bpmndi=\"http://www.omg.org/spec/BPMN/20100524/DI\" ",
            "xmlns:dc=\"http://www.omg.org/spec/DD/20100524/DC\" ",
            "xmlns:di=\"http://www.omg.org/spec/DD/20100524/DI\" id=\"definitions\" ",
            "targetNamespace=\"http://bpmn.io/schema/bpmn\">\n",
        ));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  <bpmn:process id=\"process\" name=\"{}\" isExecutable=\"false\">", escaped(process));
        for (at, shape) in self.shapes.iter().enumerate() {
            let _ = writeln!(text, "    <bpmn:{} id=\"node{at}\"{}/>", element(&shape.kind), name_of(&shape.kind));
        }
        for (at, (from, to)) in self.flows.iter().enumerate() {
            let _ = writeln!(
                text,
                "    <bpmn:sequenceFlow id=\"flow{at}\" sourceRef=\"node{from}\" targetRef=\"node{to}\"/>"
            );
        }
        text.push_str("  </bpmn:process>\n  <bpmndi:BPMNDiagram id=\"diagram\">\n");
        text.push_str("    <bpmndi:BPMNPlane id=\"plane\" bpmnElement=\"process\">\n");
        self.write_layout(&mut text);
        text.push_str("    </bpmndi:BPMNPlane>\n  </bpmndi:BPMNDiagram>\n</bpmn:definitions>\n");
        text
    }

    fn write_layout(&self, text: &mut String) {
        for (at, shape) in self.shapes.iter().enumerate() {
            let (width, height) = shape.size();
            let (left, top) = (shape.left, shape.middle - height / 2);
            let _ = writeln!(
                text,
                "      <bpmndi:BPMNShape id=\"shape{at}\" bpmnElement=\"node{at}\"><dc:Bounds x=\"{left}\" y=\"{top}\" \
                 width=\"{width}\" height=\"{height}\"/></bpmndi:BPMNShape>"
            );
        }
        for (at, &(from, to)) in self.flows.iter().enumerate() {
            let _ = write!(text, "      <bpmndi:BPMNEdge id=\"edge{at}\" bpmnElement=\"flow{at}\">");
            for (x, y) in self.way(from, to) {
                let _ = write!(text, "<di:waypoint x=\"{x}\" y=\"{y}\"/>");
            }
            text.push_str("</bpmndi:BPMNEdge>\n");
        }
    }

    fn draw(&self, process: &str) -> String {
        let right = self.shapes.iter().map(|shape| shape.left + shape.size().0).max().unwrap_or(0) + GAP;
        let bottom = self.shapes.iter().map(|shape| shape.middle + shape.size().1 / 2).max().unwrap_or(0) + GAP;
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\" width=\"{right}\" height=\"{bottom}\" \
             viewBox=\"0 0 {right} {bottom}\" fill=\"none\" stroke=\"currentColor\" font-family=\"sans-serif\" font-size=\"12\">\n",
            escaped(process)
        );
        for &(from, to) in &self.flows {
            let way: Vec<String> = self.way(from, to).iter().map(|(x, y)| format!("{x},{y}")).collect();
            let (x, y) = self.way(from, to).last().copied().unwrap_or((0, 0));
            let back = if self.shapes[to].left <= self.shapes[from].left { 6 } else { -6 };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "<polyline points=\"{}\" stroke-opacity=\"0.6\"/>", way.join(" "));
            let _ = writeln!(
                text,
                "<path d=\"M{x} {y}l{back} -4v8z\" fill=\"currentColor\" stroke=\"none\" fill-opacity=\"0.6\"/>"
            );
        }
        self.shapes.iter().for_each(|shape| draw_shape(shape, &mut text));
        text.push_str("</svg>\n");
        text
    }

    /// The corners of a flow: from the right side to the left one, or the other way for a way back.
    fn way(&self, from: usize, to: usize) -> Vec<(i32, i32)> {
        let (from, to) = (&self.shapes[from], &self.shapes[to]);
        let is_back = to.left <= from.left;
        let leave = if is_back { from.left } else { from.left + from.size().0 };
        let arrive = if is_back { to.left + to.size().0 } else { to.left };
        let turn = if is_gateway(&from.kind) {
            leave + (arrive - leave).signum() * GAP / 2
        } else {
            arrive - (arrive - leave).signum() * GAP / 2
        };
        if from.middle == to.middle {
            return vec![(leave, from.middle), (arrive, to.middle)];
        }
        vec![(leave, from.middle), (turn, from.middle), (turn, to.middle), (arrive, to.middle)]
    }
}

fn draw_shape(shape: &Shape, text: &mut String) {
    let (width, height) = shape.size();
    let (left, top, middle) = (shape.left, shape.middle - height / 2, shape.middle);
    let centre = left + width / 2;
    // Writing to a string cannot fail.
    let _ = match &shape.kind {
        Kind::Start => writeln!(text, "<circle cx=\"{centre}\" cy=\"{middle}\" r=\"{}\"/>", EVENT / 2),
        Kind::End => {
            writeln!(text, "<circle cx=\"{centre}\" cy=\"{middle}\" r=\"{}\" stroke-width=\"4\"/>", EVENT / 2 - 2)
        }
        Kind::Exclusive | Kind::Parallel => {
            let half = GATEWAY / 2;
            let mark = if shape.kind == Kind::Parallel { "M-9 0h18M0 -9v18" } else { "M-7 -7l14 14M7 -7l-14 14" };
            writeln!(
                text,
                "<path d=\"M{left} {middle}l{half} -{half}l{half} {half}l-{half} {half}z\"/><path \
                 transform=\"translate({centre} {middle})\" d=\"{mark}\" stroke-width=\"2\"/>"
            )
        }
        Kind::Task(name) => {
            let lines = lines(name);
            let first = middle + 4 - (lines.len() as i32 - 1) * SVG_LINE / 2;
            let words = |(at, line): (i32, &String)| {
                let y = first + at * SVG_LINE;
                format!(
                    "<text x=\"{centre}\" y=\"{y}\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">{}</text>",
                    escaped(line)
                )
            };
            let words: String = (0..).zip(&lines).map(words).collect();
            writeln!(
                text,
                "<g><title>{}</title><rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>{words}</g>",
                escaped(name)
            )
        }
    };
}

/// A name in lines that fit into a task's shape.
fn lines(name: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in name.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > SVG_LETTERS {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            let gap = if line.is_empty() { "" } else { " " };
            line.push_str(&format!("{gap}{word}"));
        }
    }
    let is_cut = lines.len() > SVG_LINES;
    lines.truncate(SVG_LINES);
    if let Some(last) = lines.last_mut().filter(|_| is_cut) {
        last.push('…');
    }
    let cut = |line: &String| {
        if line.chars().count() <= SVG_LETTERS + 1 {
            line.clone()
        } else {
            line.chars().take(SVG_LETTERS).chain(['…']).collect()
        }
    };
    lines.iter().map(cut).collect()
}

fn is_gateway(kind: &Kind) -> bool {
    matches!(kind, Kind::Exclusive | Kind::Parallel)
}

fn element(kind: &Kind) -> &'static str {
    match kind {
        Kind::Start => "startEvent",
        Kind::End => "endEvent",
        Kind::Task(_) => "task",
        Kind::Exclusive => "exclusiveGateway",
        Kind::Parallel => "parallelGateway",
    }
}

fn name_of(kind: &Kind) -> String {
    match kind {
        Kind::Task(name) => format!(" name=\"{}\"", escaped(name)),
        _ => String::new(),
    }
}

/// Text as it may stand in an attribute; characters that XML forbids are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | '\r' => escaped.push(' '),
            letter if letter < ' ' || letter == '\u{FFFE}' || letter == '\u{FFFF}' => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::inductive::mine;
    use super::*;

    #[test]
    fn every_shape_is_drawn_and_every_flow_has_two_ends() {
        let tree = mine(&[(vec![0, 1, 3], 2), (vec![0, 2, 3], 1), (vec![0, 1, 3, 4, 0, 1, 3], 1)], 0.0);
        let text = bpmn(&tree, "a & b", &|activity| format!("step {activity}"));
        let count = |word: &str| text.matches(word).count();
        assert_eq!(count("<bpmn:task "), 5);
        assert_eq!(count("<bpmndi:BPMNShape"), count("<bpmn:task ") + count("Gateway id=") + 2);
        assert_eq!(count("<bpmn:sequenceFlow"), count("<bpmndi:BPMNEdge"));
        assert!(text.contains("name=\"a &amp; b\""));
    }

    #[test]
    fn the_picture_has_every_shape_and_no_name_breaks_out_of_it() {
        let tree = mine(&[(vec![0, 1, 3], 2), (vec![0, 2, 3], 1)], 0.0);
        let text = svg(&tree, "a & b", &|activity| format!("<step> with a very long name number {activity}"));
        assert_eq!(text.matches("<rect").count(), 4);
        assert_eq!(
            text.matches("<polyline").count(),
            bpmn(&tree, "", &|_| String::new()).matches("<bpmn:sequenceFlow").count()
        );
        assert!(text.contains("aria-label=\"a &amp; b\"") && !text.contains("<step"), "{text}");
        assert_eq!(
            lines("Copy the surname of the person who asks for it"),
            ["Copy the surname", "of the person who", "asks for it"]
        );
        assert_eq!(lines("Averyveryverylongwordthatdoesnotend"), ["Averyveryverylong…"]);
    }

    #[test]
    fn shapes_do_not_cover_each_other() {
        let tree = mine(&[(vec![0, 1, 2, 5], 2), (vec![0, 2, 1, 5], 1), (vec![0, 3, 4, 5], 1)], 0.0);
        let mut drawing = Drawing { shapes: Vec::new(), flows: Vec::new(), name: &|_| String::new() };
        drawing.place(&tree, 0, size(&tree).1 / 2);
        let boxes: Vec<[i32; 4]> = drawing
            .shapes
            .iter()
            .map(|shape| [shape.left, shape.middle - shape.size().1 / 2, shape.size().0, shape.size().1])
            .collect();
        for (at, a) in boxes.iter().enumerate() {
            for b in &boxes[at + 1..] {
                assert!(a[0] + a[2] <= b[0] || b[0] + b[2] <= a[0] || a[1] + a[3] <= b[1] || b[1] + b[3] <= a[1]);
            }
        }
    }
}
