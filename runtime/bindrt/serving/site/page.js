// Files and texts go to /v1/similarity and /v1/classify as they are; what is answered becomes tables.

import {byId, element} from "./dom.js";

// What files of a type may be; the first is what they are taken for.
const KINDS = [
  [/^image\//, ["image", "depth", "thermal"]], [/^video\//, ["video"]], [/^audio\//, ["audio"]],
  [/./, ["imu", "depth", "thermal", "image", "audio", "video"]],
];
const EVERY = ["image", "video", "audio", "depth", "thermal", "imu"];
const items = [];  // {name, value, modality, problem, node}
let models = [], key = "", asking = new AbortController();

const say = (text, wrong = false) => {
  byId("status").textContent = text;
  byId("status").classList.toggle("lost", wrong);
};

class Refused extends Error {
  constructor(status, error) {
    super(error.message || `the server answers with status ${status}`);
    this.status = status;
    this.place = error.place || error.item;
    this.about = [error.problem, error.remedy].filter(Boolean).join("; ");
  }
}

async function ask(path, body, signal) {
  const headers = key ? {"X-Api-Key": key} : {};
  const answer = await fetch(path, {method: body ? "POST" : "GET", body, headers, signal});
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  byId("access").hidden = answer.status !== 401;
  throw new Refused(answer.status, told.error || {});
}

// A form of items, and which item is called how in the answer: the server counts those of each modality.
function formOf(some) {
  const form = new FormData(), places = new Map(), counts = {};
  form.append("model", byId("model").value);
  for (const item of some) {
    const at = counts[item.modality] = (counts[item.modality] ?? -1) + 1;
    places.set(`${item.modality}[${at}]`, item);
    form.append(item.modality, item.value);
  }
  for (const {dataset, children} of document.querySelectorAll("[data-of]")) {
    if (!(dataset.of in counts)) continue;
    for (const {name, value} of children) if (name && value) form.append(name, value);
  }
  return {form, places};
}

async function compare(some, signal) {
  const {form, places} = formOf(some);
  try {
    const told = await ask("v1/similarity", form, signal);
    const row = new Map(told.items.map((place, i) => [places.get(place), told.similarity[i]]));
    const column = new Map(told.items.map((place, i) => [places.get(place), i]));
    return {order: some, rows: some.map((one) => some.map((other) => row.get(one)[column.get(other)]))};
  } catch (error) {
    const bad = error.place && places.get(error.place);
    if (!bad) throw error;
    mark(bad, error.about);
    const rest = some.filter((item) => item !== bad);
    return rest.length ? compare(rest, signal) : {order: [], rows: []};
  }
}

async function label(order, labels, signal) {
  const found = new Map();
  for (const modality of new Set(order.map((item) => item.modality))) {
    const some = order.filter((item) => item.modality === modality), {form} = formOf(some);
    for (const text of labels) form.append("labels", text);
    const told = await ask("v1/classify", form, signal);
    some.forEach((item, i) => found.set(item, told.probabilities[i]));
  }
  return found;
}

// Asks anew for all that is there; what was asked before is given up.
async function update() {
  asking.abort();
  asking = new AbortController();
  const {signal} = asking;
  try {
    if (!models.length) await begin();
    for (const item of items) mark(item, "");
    for (const some of document.querySelectorAll("[data-of]")) {
      some.hidden = !items.some((item) => item.modality === some.dataset.of);
    }
    if (!items.length) {
      show([], [], [], new Map());
      say("Add a file or a text.");
      return;
    }
    say("asking …");
    const labels = [...new Set(byId("labels").value.split("\n").map((text) => text.trim()).filter(Boolean))];
    const {order, rows} = await compare(items, signal);
    const fits = labels.length ? await label(order, labels, signal) : new Map();
    show(order, rows, labels, fits);
    const bad = items.filter((item) => item.problem).length;
    say(bad ? `${bad} of ${items.length} cannot be read.` : `${items.length} compared.`, bad > 0);
  } catch (error) {
    if (signal.aborted) return;
    say(error.status === 401 ? "This server wants an API key." : error.message, true);
  }
}

function mark(item, problem) {
  item.problem = problem;
  const where = item.node.querySelector(".problem");
  where.hidden = !problem;
  where.textContent = problem;
}

function show(order, rows, labels, fits) {
  byId("similarities").hidden = order.length < 2;
  const names = order.map((item) => item.name);
  const columns = names.map((name) => element("th", {scope: "col", textContent: name}));
  const head = element("tr", {}, element("td"), ...columns);
  const body = rows.map((row, i) => element("tr", {}, element("th", {scope: "row", textContent: names[i]}),
    ...row.map((score, j) => cell(score, i === j))));
  const caption = element("caption", {className: "unseen", textContent: "Similarities"});
  byId("similarities").querySelector(".scroll").replaceChildren(element("table", {className: "matrix"},
    caption, element("thead", {}, head), element("tbody", {}, ...body)));
  byId("fits").hidden = !fits.size;
  byId("tables").replaceChildren(...[...fits].map(([item, scores]) => bars(item.name, labels, scores)));
}

function cell(score, same) {
  const made = element("td", {textContent: score.toFixed(2), className: same ? "same" : ""});
  made.style.setProperty("--share", `${Math.round(Math.max(0, score) * 70)}%`);
  return made;
}

function bars(name, labels, scores) {
  const order = scores.map((score, i) => [score, labels[i]]).sort((a, b) => b[0] - a[0]);
  const rows = order.map(([score, text]) => {
    const fill = element("div", {className: "fill"});
    fill.style.width = `${score * 100}%`;
    return element("tr", {}, element("th", {scope: "row", textContent: text}),
      element("td", {"aria-hidden": "true"}, element("div", {className: "track"}, fill)),
      element("td", {textContent: `${(score * 100).toFixed(1)} %`}));
  });
  return element("table", {className: "bars"}, element("caption", {textContent: name}), element("tbody", {}, ...rows));
}

function add(name, value, kinds) {
  const item = {name, value, modality: kinds[0], problem: ""};
  const inside = [element("span", {className: "name", textContent: name})];
  if (value instanceof File) {
    inside.unshift(preview(item));
    const choice = element("select", {"aria-label": `What ${name} is`},
      ...kinds.map((kind) => element("option", {textContent: kind})));
    choice.addEventListener("change", () => { item.modality = choice.value; update(); });
    inside.push(choice);
  }
  const remove = element("button", {type: "button", textContent: "Remove", "aria-label": `Remove ${name}`});
  remove.addEventListener("click", () => forget(item));
  item.node = element("li", {}, ...inside, remove, element("p", {className: "problem", hidden: true}));
  items.push(item);
  byId("items").append(item.node);
}

function preview(item) {
  item.url = URL.createObjectURL(item.value);
  if (item.modality === "image") return element("img", {src: item.url, alt: ""});
  if (item.modality === "audio") return element("audio", {src: item.url, controls: true, "aria-label": item.name});
  if (item.modality === "video") return element("video", {src: item.url, controls: true, "aria-label": item.name});
  return element("span");
}

// The focus goes where a keyboard goes on: to the next one, or to where files are added.
function forget(item) {
  const at = items.indexOf(item);
  items.splice(at, 1);
  if (item.url) URL.revokeObjectURL(item.url);
  item.node.remove();
  const next = items[Math.min(at, items.length - 1)];
  (next ? next.node.querySelector("button") : byId("files")).focus();
  update();
}

function addFiles(files) {
  const {modalities} = models.find((model) => model.id === byId("model").value) || {modalities: EVERY};
  for (const file of files) {
    const [, known] = KINDS.find(([type]) => type.test(file.type || "?"));
    const kinds = known.filter((kind) => modalities.includes(kind));
    add(file.name, file, kinds.length ? kinds : known);
  }
  update();
}

async function begin() {
  models = (await ask("v1/models")).data;
  byId("access").hidden = true;
  byId("models").hidden = models.length < 2;
  byId("model").replaceChildren(...models.map((model) => element("option", {textContent: model.id})));
}

byId("files").addEventListener("change", (event) => {
  addFiles(event.target.files);
  event.target.value = "";  // the same file may be chosen again
});
byId("writing").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("text").value.trim();
  if (text) add(text, text, ["text"]);
  byId("text").value = "";
  update();
});
byId("access").addEventListener("submit", (event) => {
  event.preventDefault();
  key = byId("key").value;
  update();
});
for (const id of ["labels", "model"]) byId(id).addEventListener("change", update);
for (const field of document.querySelectorAll("[data-of] [name]")) field.addEventListener("change", update);

// All of the window takes files: one that is dropped beside the field must not replace the page.
for (const type of ["dragover", "dragleave", "drop"]) {
  addEventListener(type, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", type === "dragover");
    if (type === "drop") addFiles(event.dataTransfer.files);
  });
}
update();
