// What both pages use. Texts of others become text only by textContent, so nothing in them is ever markup.

export const byId = (id) => document.getElementById(id);

export function element(name, options = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key in made) made[key] = value; else made.setAttribute(key, value);
  }
  made.append(...inside);
  return made;
}
