// openapi.json as a page.

import {byId, element} from "./dom.js";

const code = (text) => element("code", {textContent: text});
const nameOf = (reference) => reference.split("/").pop();
const list = (texts) => texts.map((text) => JSON.stringify(text)).join(" or ");

// A schema in one line; what has a name is a link to it.
function inLine(schema) {
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return element("span", {}, element("a", {href: `#${name}`, textContent: name}));
  }
  const either = schema.anyOf || schema.oneOf;
  if (either) return element("span", {}, ...either.flatMap((one, i) => i ? [" or ", inLine(one)] : [inLine(one)]));
  if (schema.enum || "const" in schema) return element("span", {textContent: list(schema.enum || [schema.const])});
  if (schema.type === "array") return element("span", {}, "list of ", inLine(schema.items || {}));
  const open = typeof schema.additionalProperties === "object" ? schema.additionalProperties : null;
  if (open) return element("span", {}, "any name: ", inLine(open));
  if (schema.format === "binary") return element("span", {textContent: "bytes"});
  return element("span", {textContent: [].concat(schema.type || "anything").join(" or ")});
}

function table(caption, heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", {scope: "col", textContent: text})));
  const body = rows.map(([first, ...rest]) => element("tr", {},
    element("th", {scope: "row"}, first), ...rest.map((cell) => element("td", {}, cell))));
  return element("div", {className: "scroll", tabIndex: 0, role: "region", "aria-label": caption},
    element("table", {className: "told"}, element("caption", {textContent: caption}),
      element("thead", {}, head), element("tbody", {}, ...body)));
}

// A schema with its fields, if it has any.
function whole(caption, schema) {
  if (!schema.properties) return element("p", {}, `${caption}: `, inLine(schema));
  const needed = schema.required || [];
  return table(caption, ["field", "", "needed", ""], Object.entries(schema.properties).map(([name, field]) =>
    [code(name), inLine(field), needed.includes(name) ? "yes" : "", field.description || ""]));
}

function operation(path, method, told, description) {
  const inside = [];
  if (told.parameters.length) {
    inside.push(table("Parameters", ["name", "in", "", ""], told.parameters.map((one) =>
      [code(one.name), one.in, inLine(one.schema), one.description || ""])));
  }
  for (const [kind, {schema}] of Object.entries(told.requestBody ? told.requestBody.content : {})) {
    inside.push(whole(`Body: ${kind}`, schema));
  }
  const answers = Object.entries(told.responses).map(([status, one]) => {
    const answer = one.$ref ? description.components.responses[nameOf(one.$ref)] : one;
    const kinds = Object.entries(answer.content || {}).flatMap(([kind, {schema}], i) =>
      [i ? "; " : "", `${kind}: `, inLine(schema)]);
    return [code(status), answer.description, element("span", {}, ...kinds)];
  });
  inside.push(table("Answers", ["status", "when", ""], answers));
  const title = [code(`${method.toUpperCase()} ${path}`), ` ${told.summary}`];
  if (told.security) title.push(" (needs a key)");
  return element("details", {}, element("summary", {}, ...title), ...inside);
}

function show(description) {
  const found = [];
  for (const tag of description.tags) {
    const title = element("h2", {id: tag.name, textContent: tag.description});
    const section = element("section", {"aria-labelledby": tag.name}, title);
    for (const [path, methods] of Object.entries(description.paths)) {
      for (const [method, told] of Object.entries(methods)) {
        if (told.tags.includes(tag.name)) section.append(operation(path, method, told, description));
      }
    }
    found.push(section);
  }
  const schemas = element("section", {"aria-labelledby": "schemas"},
    element("h2", {id: "schemas", textContent: "What has a name"}));
  for (const [name, schema] of Object.entries(description.components.schemas)) {
    schemas.append(element("div", {id: name, className: "named"}, element("h3", {textContent: name}),
      element("p", {textContent: (schema.description || "").replaceAll("``", "")}), whole(name, schema)));
  }
  byId("docs").replaceChildren(...found, schemas);
  if (location.hash) location.hash = location.hash;  // what it leads to is there only now
}

try {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  show(await answer.json());
} catch (error) {
  byId("status").textContent = `openapi.json cannot be read: ${error.message}`;
}
