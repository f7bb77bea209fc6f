// What bindrt.watching.board says, several times a second, as a page. Names of a recording become text only by
// textContent, so nothing in them is ever markup.
"use strict";

const MINUTE = 60, MOST_EVENTS = 1000, MOST_TOLD = 20, COLOURS = 12;
const FALSE_COLOURS = {
  depth: "current frame in false colours: near is bright", thermal: "current frame in false colours: warm is bright",
};
const SVG = "http://www.w3.org/2000/svg";
const cards = new Map();
const byId = (id) => document.getElementById(id);
let paused = false, ended = false;

function element(name, options = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key in made) made[key] = value; else made.setAttribute(key, value);
  }
  made.append(...inside);
  return made;
}

function drawing(name, options = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(options)) made.setAttribute(key, value);
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Seconds since 1970 as a time of day, others as minutes and seconds.
function clock(seconds) {
  if (seconds === null) return "–";
  if (seconds > 1e8) return new Date(seconds * 1000).toISOString().slice(11, 21);
  const tenths = Math.round(Math.abs(seconds) * 10);
  const rest = (tenths % 600 / 10).toFixed(1).padStart(4, "0");
  return `${seconds < 0 ? "-" : ""}${Math.floor(tenths / 600)}:${rest}`;
}

const score = (value) => value === null ? "–" : value.toFixed(2);
const look = (i) => `c${i % COLOURS}${i < COLOURS ? "" : " dashed"}`;

class Card {
  constructor(about) {
    this.id = about.id;
    this.name = about.name;
    this.names = [];
    this.points = [];
    this.shown = 0;  // the version of the picture that is on the page
    this.loading = false;
    const title = element("h2", {id: `stream-${about.id}`, textContent: about.name});
    this.about = element("p");
    this.figure = element("figure");
    this.rows = element("tbody");
    this.problem = element("p", {className: "problem", hidden: true});
    this.more = element("p", {className: "about", hidden: true});
    this.chart = new Chart(about.name);
    const caption = element("caption", {className: "unseen", textContent: `Scores of ${about.name}`});
    this.table = element("table", {className: "bars"}, caption, this.rows);
    this.right = element("div", {}, this.table, this.more, this.chart.node);
    this.body = element("div", {className: "body"}, this.figure, this.right);
    this.node = element("section", {}, element("div", {className: "head"}, title, this.about), this.body, this.problem);
    this.node.setAttribute("aria-labelledby", title.id);
  }

  take(about) {
    this.now = about;
    if (about.names.join("\n") !== this.names.join("\n")) {
      this.names = about.names;
      this.points = [];
    }
    for (const point of about.points) {
      const last = this.points.length ? this.points[this.points.length - 1][0] : -Infinity;
      if (point[0] < last) this.points = [];  // the clock began anew
      this.points.push(point);
    }
    while (this.points.length && this.points[0][0] < this.points[this.points.length - 1][0] - MINUTE) this.points.shift();
  }

  draw() {
    const now = this.now;
    const parts = [now.modality, now.time === null ? "" : `at ${clock(now.time)}`, `${now.windows} windows`,
      now.latency === null ? "" : `latency ${Math.round(now.latency * 1000)} ms`, `${now.dropped} dropped`,
      now.failed ? `${now.failed} failed` : ""];
    setText(this.about, parts.filter(Boolean).join(" · "));
    setText(this.problem, now.problem);
    this.problem.hidden = !now.problem;
    setText(this.more, `${now.left_out} further names are not shown`);
    this.more.hidden = !now.left_out;
    this.figure.hidden = !now.picture;
    this.right.hidden = !this.names.length;
    this.body.classList.toggle("bare", !now.picture || !this.names.length);
    this.drawBars(now);
    this.chart.draw(this.names, this.points);
    this.drawPicture(now);
  }

  drawBars(now) {
    if (this.rows.children.length !== this.names.length || this.drawn !== this.names) {
      this.drawn = this.names;
      this.rows.replaceChildren(...this.names.map((name, i) => element("tr", {className: look(i)},
        element("th", {scope: "row"}, element("span", {className: `key ${look(i)}`}), name),
        element("td", {}, element("div", {className: "track"}, element("div", {className: "fill"}))),
        element("td"))));
    }
    now.scores.forEach((value, i) => {
      const row = this.rows.children[i], on = now.active.includes(i);
      row.classList.toggle("on", on);
      row.querySelector(".fill").style.width = `${100 * Math.min(1, Math.max(0, value ?? 0))}%`;
      setText(row.lastChild, `${on ? "● " : ""}${score(value)}`);
      row.lastChild.title = on ? "an event goes on" : "";
    });
  }

  // The next picture is asked for when the last one has come, so a slow line has fewer of them, and none waits.
  async drawPicture(now) {
    if (this.loading || !now.picture || now.picture === this.shown || document.hidden) return;
    this.loading = true;
    const version = now.picture, address = `/picture/${this.id}?${version}`;
    try {
      if (now.shows === "motion") this.drawMotion(await (await fetch(address)).json());
      else await this.drawImage(address, now.shows);
    } catch {
      // it cannot be shown, or the server has gone: the last one stays
    }
    this.shown = version;
    this.loading = false;
    if (!paused && this.now.picture !== version) this.drawPicture(this.now);
  }

  async drawImage(address, kind) {
    const next = element("img", {src: address});
    next.alt = kind === "sound" ? `spectrogram of ${this.name}: the last 2 seconds` : `current frame of ${this.name}`;
    await next.decode();
    if (!this.image) {
      this.caption = element("figcaption");
      this.figure.replaceChildren(next, this.caption);
    } else {
      this.image.replaceWith(next);
    }
    this.image = next;
    const sees = FALSE_COLOURS[this.now.modality] ?? "current frame";
    setText(this.caption, kind === "sound" ? "log-mel spectrogram of the last 2 s, as the model hears it" : sees);
  }

  drawMotion(said) {
    if (!this.curves) {
      this.curves = [["accelerometer", 0, 3], ["gyroscope", 3, 6]].map(([name, from, to]) =>
        new Curves(`${name} of ${this.name}: x, y, z of the last 5 seconds`, from, to));
      const captions = ["acceleration, m/s²", "angular velocity, rad/s"].map((text) => element("figcaption", {},
        text, ...["x", "y", "z"].flatMap((axis, i) => [element("span", {className: `key ${look(i)}`}), axis])));
      this.figure.replaceChildren(this.curves[0].node, captions[0], this.curves[1].node, captions[1]);
    }
    for (const curves of this.curves) curves.draw(said);
  }
}

// Points of a polyline that is 1000 wide and 100 high; where a value is missing the line goes straight on.
function path(xs, values, low, high) {
  const found = [];
  values.forEach((value, i) => {
    if (value !== null) found.push(`${xs[i].toFixed(1)},${(100 * (high - value) / (high - low)).toFixed(2)}`);
  });
  return found.join(" ");
}

class Lines {
  constructor(label) {
    this.svg = drawing("svg", {viewBox: "0 0 1000 100", preserveAspectRatio: "none", role: "img", "aria-label": label});
    this.zero = drawing("line", {x1: 0, x2: 1000});
    this.svg.append(this.zero);
    this.lines = [];
  }

  drawAll(count, valuesOf, xs, low, high) {
    while (this.lines.length > count) this.lines.pop().remove();
    while (this.lines.length < count) {
      this.lines.push(drawing("polyline", {class: look(this.lines.length)}));
      this.svg.append(this.lines[this.lines.length - 1]);
    }
    const at = 100 * high / (high - low);
    this.zero.setAttribute("y1", at);
    this.zero.setAttribute("y2", at);
    this.lines.forEach((line, i) => line.setAttribute("points", path(xs, valuesOf(i), low, high)));
  }
}

class Curves extends Lines {
  constructor(label, from, to) {
    super(label);
    [this.from, this.to, this.node] = [from, to, this.svg];
  }

  draw(said) {
    const rows = said.rows.slice(this.from, this.to);
    const most = Math.max(1e-3, ...rows.flat().map((value) => Math.abs(value ?? 0)));
    this.drawAll(rows.length, (i) => rows[i], said.ago.map((ago) => 1000 * (1 - ago / said.seconds)), -most, most);
  }
}

// The strip chart: the scores of the last minute, the newest at the right.
class Chart extends Lines {
  constructor(name) {
    super(`scores of ${name} over the last minute`);
    this.high = element("span", {className: "high"});
    this.low = element("span", {className: "low"});
    this.node = element("div", {className: "chart"}, this.svg, this.high, this.low,
      element("p", {className: "about"}, element("span", {textContent: "1 min ago"}), element("span", {textContent: "now"})));
  }

  draw(names, points) {
    const all = points.flatMap((point) => point[1]).filter((value) => value !== null);
    const high = Math.max(0.5, Math.ceil(10 * all.reduce((a, b) => Math.max(a, b), 0)) / 10);
    const low = Math.min(0, Math.floor(10 * all.reduce((a, b) => Math.min(a, b), 0)) / 10);
    setText(this.high, high.toFixed(1));
    setText(this.low, low.toFixed(1));
    const newest = points.length ? points[points.length - 1][0] : 0;
    const xs = points.map((point) => 1000 * (1 - (newest - point[0]) / MINUTE));
    this.drawAll(names.length, (i) => points.map((point) => point[1][i]), xs, low, high);
  }
}

function addEvents(events, first) {
  const rows = byId("rows"), told = byId("told");
  for (const [stream, name, start, end, peak, value] of events) {
    const where = cards.has(stream) ? cards.get(stream).name : "";
    const cells = [name, where, clock(start), clock(end), clock(peak), score(value)];
    rows.prepend(element("tr", {}, ...cells.map((text) => element("td", {textContent: text}))));
    if (!first) told.append(element("p", {textContent: `${name} on ${where}, ${clock(start)} to ${clock(end)}`}));
  }
  while (rows.children.length > MOST_EVENTS) rows.lastChild.remove();
  while (told.children.length > MOST_TOLD) told.firstChild.remove();
  byId("none").hidden = rows.children.length > 0;
}

function take(message) {
  if (message.reset) {
    cards.clear();
    byId("streams").replaceChildren();
    byId("rows").replaceChildren();
  }
  setText(byId("title"), message.title);
  document.title = message.title;
  for (const about of message.streams) {
    if (!cards.has(about.id)) {
      cards.set(about.id, new Card(about));
      byId("streams").append(cards.get(about.id).node);
    }
    cards.get(about.id).take(about);
  }
  addEvents(message.events, message.reset);
  byId("notes").hidden = !message.notes.length;
  byId("notes").replaceChildren(...message.notes.map((note) => element("li", {textContent: note})));
  ended = message.ended;
  say();
  if (!paused) draw();
}

function draw() {
  for (const card of cards.values()) card.draw();
}

function say(lost = "") {
  const status = byId("status");
  setText(status, ended ? "ended: nothing more comes" : lost || (paused ? "paused; it goes on behind" : "live"));
  status.classList.toggle("lost", Boolean(lost) && !ended);
}

function watch() {
  const messages = new EventSource("/messages");
  messages.onmessage = (event) => take(JSON.parse(event.data));
  messages.onerror = () => {
    const over = messages.readyState === EventSource.CLOSED;
    if (ended) messages.close();
    else if (over) setTimeout(watch, 5000);
    say(over ? "too many watch already; trying again" : "the connection is lost; trying again");
  };
}

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  say();
  if (!paused) draw();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && !paused) draw(); });
watch();
