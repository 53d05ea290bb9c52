// Listens to the server and gives what comes to the screens. All state is the server's: a lost connection or a
// reload begins with everything anew.

import { order, say } from "./api.js";
import { isMine } from "./bubble.js";
import { element } from "./marks.js";
import { Panel } from "./panel.js";
import { PersonPhone, ShopPhone } from "./phones.js";

const RETRY_MS = 1000;
const get = (id) => document.getElementById(id);
const panel = new Panel();
const phones = new Map();
const unseen = new Map();
let world = null;
let shop = null;
let screen = "bot";
// Whether the next new person was asked for here, and is to be looked at.
let isEntering = false;

const isNarrow = matchMedia("(max-width: 760px)");

function begin(told) {
  world = told;
  phones.clear();
  unseen.clear();
  const draft = new Map([...document.querySelectorAll("textarea")].map((line) => [line.ariaLabel, line.value]));
  shop = new ShopPhone(told);
  get("phones").replaceChildren(shop.root);
  told.people.forEach(enter);
  for (const [id, bubbles] of Object.entries(told.chats)) for (const bubble of bubbles) put(id, bubble, false);
  for (const id of told.typing) phones.get(id).type(true);
  panel.clear();
  told.events.forEach((event) => panel.write(event));
  panel.setTrouble(told.trouble);
  panel.setBot(told.bot);
  for (const line of document.querySelectorAll("textarea")) line.value = draft.get(line.ariaLabel) ?? "";
  for (const phone of phones.values()) phone.thread.toEnd();
  show(screen);
}

function enter(person) {
  const phone = new PersonPhone(person, world);
  phones.set(person.id, phone);
  // Customers first, then the shop's phone, then the admin's.
  if (person.admin) shop.root.after(phone.root);
  else shop.root.before(phone.root);
  shop.add(person);
  tabs();
}

function welcome({ person }) {
  enter(person);
  if (!isEntering) return;
  isEntering = false;
  show(person.id);
  phones.get(person.id).root.scrollIntoView({ inline: "center", block: "nearest" });
}

function put(id, bubble, isNew) {
  phones.get(id).put(bubble);
  shop.put(id, bubble);
  if (!isMine(bubble, "customer") && bubble.at_customer && bubble.tick !== "read") {
    if (isSeen(id)) read(id);
    else if (isNew) { unseen.set(id, (unseen.get(id) ?? 0) + 1); tabs(); }
  }
}

function isSeen(id) {
  return document.visibilityState === "visible" && (!isNarrow.matches || screen === id);
}

// Once for all bubbles that come together.
const reading = new Map();
function read(id) {
  if (reading.has(id)) return;
  reading.set(id, setTimeout(() => { reading.delete(id); order("read", { chat: id }); }, 600));
}

function tabs() {
  const screens = [["bot", "Bot"], ...[...phones.values()].filter(({ person }) => !person.admin).map(({ person }) => [person.id, person.name]),
    ["shop", "HP toko"], ...[...phones.values()].filter(({ person }) => person.admin).map(({ person }) => [person.id, person.name])];
  get("tabs").replaceChildren(...screens.map(([id, name]) => {
    const count = unseen.get(id) ?? 0;
    const made = element("button", id === screen ? "here" : "", name, ...(count ? [element("span", "count", String(count))] : []));
    made.type = "button";
    made.dataset.tab = id;
    made.setAttribute("aria-pressed", String(id === screen));
    made.addEventListener("click", () => show(id));
    return made;
  }));
}

function show(id) {
  screen = id;
  for (const each of document.querySelectorAll("[data-screen]")) each.classList.toggle("here", each.dataset.screen === id);
  unseen.delete(id);
  tabs();
  if (phones.has(id)) { phones.get(id).thread.toEnd(); read(id); }
  get("tabs").querySelector(".here")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

const HANDLERS = {
  all: begin,
  person: welcome,
  bubble: ({ chat, bubble }) => put(chat, bubble, true),
  typing: ({ chat, typing }) => phones.get(chat)?.type(typing),
  bot: ({ bot }) => panel.setBot(bot),
  trouble: ({ trouble }) => panel.setTrouble(trouble),
  event: (event) => panel.write(event),
};

function listen() {
  const socket = new WebSocket(`ws://${location.host}/live`);
  socket.addEventListener("message", ({ data }) => {
    const told = JSON.parse(data);
    HANDLERS[told.type]?.(told);
  });
  socket.addEventListener("open", () => document.body.classList.remove("away"));
  socket.addEventListener("close", () => {
    if (!document.body.classList.contains("away")) say("Demo tidak menjawab; halaman mencoba menyambung lagi.");
    document.body.classList.add("away");
    setTimeout(listen, RETRY_MS);
  });
}

get("enter").addEventListener("click", async () => {
  isEntering = true;
  if (!(await order("enter"))) isEntering = false;
});
document.addEventListener("visibilitychange", () => { for (const id of phones.keys()) if (isSeen(id)) read(id); });
isNarrow.addEventListener("change", () => show(screen));
listen();
