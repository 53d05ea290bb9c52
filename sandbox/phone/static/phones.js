// The phones: a customer's shows his chat with the shop, the shop's own shows all chats.

import { summary, isMine, isShown } from "./bubble.js";
import { clock, element } from "./marks.js";
import { Thread } from "./thread.js";

export function face(name) {
  const made = element("span", "face", [...name][0]?.toUpperCase() ?? "?");
  made.setAttribute("aria-hidden", "true");
  made.dataset.hue = String([...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6);
  return made;
}

function pretty(number) {
  return number.replace(/^62(\d{3})(\d{4})(\d+)$/, "+62 $1-$2-$3");
}

function frame(id, owner, about, screen) {
  const made = element("section", "phone",
    element("p", "holder", element("b", "", owner), element("span", "", about)),
    element("div", "device", screen));
  made.dataset.screen = id;
  made.setAttribute("aria-label", owner.startsWith("HP ") ? owner : `HP ${owner}`);
  return made;
}

export class PersonPhone {
  constructor(person, { shop, ideas, emoji }) {
    const hint = person.admin
      ? [element("p", "", "Ruang Admin: di sini bot memberi tahu admin. Geser dan balas pesan 🔔 untuk menjawab pelanggan."),
         element("p", "english", "The owner’s room: the bot tells what it could not answer. Reply to a 🔔 message to answer the customer.")]
      : [element("p", "when-linked", `Tulis ke ${shop.name}, atau ketuk salah satu contoh.`),
         element("p", "english when-linked", "Write to the shop, or tap an example."),
         element("p", "when-unlinked", "Botnya belum tertaut: klik dulu kode QR di panel Bot."),
         element("p", "english when-unlinked", "The bot is not linked yet: click the QR code first.")];
    this.person = person;
    this.thread = new Thread({ side: "customer", person, emoji, hint, ideas: person.admin ? ["status"] : ideas });
    this.status = element("span", "status", pretty(shop.number));
    this.resting = pretty(shop.number);
    const bar = element("header", "bar", face(shop.name), element("div", "", element("b", "", shop.name), this.status));
    const about = person.admin ? "Ruang Admin (nomor kedua)" : pretty(person.number);
    this.root = frame(person.id, person.name, about, element("div", "screen", bar, this.thread.root));
  }

  put(bubble) {
    this.thread.put(bubble);
  }

  type(typing) {
    this.status.textContent = typing ? "sedang mengetik…" : this.resting;
    this.status.classList.toggle("typing", typing);
  }
}

export class ShopPhone {
  constructor({ shop, emoji }) {
    Object.assign(this, { shop, emoji, chats: new Map(), open: null });
    this.list = element("div", "chats");
    this.empty = element("p", "nobody", "Semua chat toko terlihat di sini, seperti di HP pemilik.",
      element("span", "english", "All chats of the shop, as on its owner’s phone."));
    this.listing = element("div", "listing",
      element("header", "bar", element("div", "", element("b", "", "WhatsApp"), element("span", "status", shop.name))),
      this.empty, this.list);
    this.chat = element("div", "opened");
    this.chat.hidden = true;
    this.root = frame("shop", "HP toko", `${pretty(shop.number)} · pemilik`, element("div", "screen", this.listing, this.chat));
  }

  add(person) {
    const thread = new Thread({ side: "shop", person, emoji: this.emoji });
    thread.root.prepend(element("p", "aside",
      person.admin ? "Ruang Admin: yang ditulis di sini dibaca bot." : "Kalau Anda menulis di sini, bot diam sebentar di chat ini."));
    const last = element("span", "last");
    const time = element("time", "");
    const count = element("span", "count");
    const item = element("button", "item", face(person.name),
      element("span", "names", element("b", "", person.name), last), element("span", "side", time, count));
    item.type = "button";
    item.dataset.chat = person.id;
    item.hidden = true;
    item.addEventListener("click", () => this.show(person.id));
    this.list.append(item);
    this.chats.set(person.id, { person, thread, item, last, time, count, unseen: new Set() });
  }

  put(id, bubble) {
    const chat = this.chats.get(id);
    if (!isShown(bubble, "shop")) return;
    const known = chat.thread.bubbles.has(bubble.id);
    chat.thread.put(bubble);
    const newest = [...chat.thread.bubbles.values()].at(-1);
    chat.last.textContent = `${isMine(newest, "shop") ? (newest.author === "bot" ? "🤖 " : "Anda: ") : ""}${summary(newest)}`;
    chat.time.textContent = clock(newest.sent_ms);
    chat.item.hidden = false;
    this.empty.hidden = true;
    if (!known) this.list.prepend(chat.item);
    // As on a real phone, what the linked device has read counts as read here, too.
    if (!chat.person.admin && bubble.author === "customer" && bubble.tick !== "read" && this.open !== id) chat.unseen.add(bubble.id);
    else chat.unseen.delete(bubble.id);
    this.count(chat);
  }

  count(chat) {
    chat.count.textContent = chat.unseen.size ? String(chat.unseen.size) : "";
    chat.item.classList.toggle("unseen", chat.unseen.size > 0);
  }

  show(id) {
    const chat = this.chats.get(id);
    const back = element("button", "back", "‹");
    back.type = "button";
    back.setAttribute("aria-label", "Kembali ke daftar chat");
    back.addEventListener("click", () => this.close());
    const bar = element("header", "bar", back, face(chat.person.name),
      element("div", "", element("b", "", chat.person.name), element("span", "status", pretty(chat.person.number))));
    this.chat.replaceChildren(bar, chat.thread.root);
    this.open = id;
    chat.unseen.clear();
    this.count(chat);
    this.listing.hidden = true;
    this.chat.hidden = false;
    chat.thread.toEnd();
  }

  close() {
    this.open = null;
    this.chat.hidden = true;
    this.listing.hidden = false;
  }
}
