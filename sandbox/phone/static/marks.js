// WhatsApp's marks (*bold*, _italic_, ~struck~, ```fixed```) and links as elements. Text stays text: nothing
// that somebody writes is ever read as HTML.

const MARKS = { "*": "strong", "_": "em", "~": "s" };
const TOKEN = /```([\s\S]+?)```|(?<![\p{L}\p{N}])([*_~])(?=\S)(.+?)(?<=\S)\2(?![\p{L}\p{N}])|\bhttps?:\/\/[^\s<>"]+[^\s<>".,!?)]/gu;

export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

export function marked(text) {
  const made = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    made.append(text.slice(from, match.index));
    made.append(part(match));
    from = match.index + match[0].length;
  }
  made.append(text.slice(from));
  return made;
}

function part([whole, fixed, mark, inner]) {
  if (fixed !== undefined) return element("code", "", fixed);
  if (mark !== undefined) return element(MARKS[mark], "", marked(inner));
  const link = element("a", "", whole);
  link.href = whole;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

// Without the marks, for one-line previews.
export function plain(text) {
  return text.replace(TOKEN, (whole, fixed, mark, inner) => fixed ?? inner ?? whole).replace(/\s+/g, " ");
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString("id-ID", { hour: "2-digit", minute: "2-digit" }).replace(".", ":");
}
