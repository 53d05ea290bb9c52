// One bubble as one side sees it.

import { clock, element, marked, plain } from "./marks.js";

const TICKS = { sent: "✓", delivered: "✓✓", read: "✓✓" };
const TICK_WORDS = { sent: "Terkirim", delivered: "Sampai", read: "Dibaca" };
const KINDS = {
  image: "📷 Foto", video: "🎬 Video", audio: "🎤 Pesan suara", document: "📄 Dokumen", sticker: "Stiker",
  location: "📍 Lokasi", contact: "👤 Kontak", other: "Pesan",
};

export const isMine = (bubble, side) => (bubble.author === "customer") === (side === "customer");
export const isShown = (bubble, side) => (side === "customer" ? bubble.at_customer : bubble.at_shop);

// One line for a list of chats or a quotation.
export function summary({ kind, text, deleted }) {
  if (deleted) return "🚫 Pesan dihapus";
  if (kind === "text") return plain(text);
  return text ? `${KINDS[kind] ?? KINDS.other}: ${plain(text)}` : KINDS[kind] ?? KINDS.other;
}

export function authorName(author, person) {
  return { customer: person.name, bot: "Bot", owner: "Toko", other: "Nomor lain" }[author];
}

function quotation(quoted, person, side) {
  if (!quoted) return element("div", "quote", element("p", "", "Pesan yang tidak ada lagi"));
  const mine = isMine(quoted, side);
  const name = mine ? "Anda" : authorName(quoted.author, person);
  return element("div", `quote ${mine ? "of-mine" : ""}`,
    element("b", "", side === "customer" && !mine ? "Toko" : name), element("p", "", summary(quoted)));
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function file(told, kind) {
  if (kind === "image" || kind === "sticker") {
    const picture = element("img", "picture");
    picture.src = told.address;
    picture.alt = "Foto";
    return picture;
  }
  if (kind === "audio") {
    const player = element("audio", "player");
    player.src = told.address;
    player.controls = true;
    player.preload = "metadata";
    return player;
  }
  const link = element("a", "document", element("span", "paper", "📄"),
    element("span", "", element("b", "", told.name || "Berkas"), element("small", "", size(told.bytes))));
  link.href = told.address;
  if (told.mime === "application/pdf") link.target = "_blank";
  else link.download = told.name || "berkas";
  return link;
}

function meta(bubble, side) {
  const made = element("span", "meta");
  if (bubble.edited && !bubble.deleted) made.append("diedit ");
  const time = element("time", "", clock(bubble.sent_ms));
  time.dateTime = new Date(bubble.sent_ms).toISOString();
  made.append(time);
  if (isMine(bubble, side) && !bubble.deleted) {
    const tick = element("span", `tick ${bubble.tick}`, TICKS[bubble.tick]);
    tick.title = TICK_WORDS[bubble.tick];
    tick.setAttribute("role", "img");
    tick.setAttribute("aria-label", TICK_WORDS[bubble.tick]);
    made.append(" ", tick);
  }
  return made;
}

// `media` is the element of an earlier drawing, so that a new tick reloads no picture.
export function draw(bubble, { side, person, media }) {
  const mine = isMine(bubble, side);
  const body = element("div", "bubble");
  if (side === "shop" && mine) {
    body.append(element("span", `who ${bubble.author}`, bubble.author === "bot" ? "dikirim bot" : "dari HP ini"));
  }
  if (bubble.from) body.append(element("span", "who other", `dari nomor ${bubble.from.replace(/^62/, "0")}`));
  if (bubble.deleted) {
    body.append(element("p", "text gone", "🚫 Pesan ini dihapus"));
  } else {
    if ("quoted" in bubble) body.append(quotation(bubble.quoted, person, side));
    if (media) body.append(media);
    const words = bubble.text || (bubble.file ? "" : KINDS[bubble.kind] ?? "");
    if (words) body.append(element("p", "text", marked(words)));
  }
  body.append(meta(bubble, side));
  const emoji = Object.values(bubble.reactions);
  if (emoji.length && !bubble.deleted) body.append(element("span", "reactions", [...new Set(emoji)].join("")));
  const row = element("div", `row ${mine ? "mine" : "theirs"}${emoji.length ? " reacted" : ""}`, body);
  row.dataset.id = bubble.id;
  row.dataset.author = bubble.author;
  return row;
}
