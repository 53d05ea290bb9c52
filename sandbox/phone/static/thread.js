// One chat on one phone: bubbles, what can be done with them, and the line to write in.

import { order, upload } from "./api.js";
import { authorName, draw, file, isMine, isShown, summary } from "./bubble.js";
import { element } from "./marks.js";
import { voiceNote } from "./voice.js";

const NEAR_PX = 80;

export class Thread {
  // `side` is "customer" or "shop".
  constructor({ side, person, ideas, emoji, hint }) {
    Object.assign(this, { side, person, emoji, quoting: null, editing: null, media: new Map(), bubbles: new Map() });
    this.scroller = element("div", "bubbles");
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "log");
    this.scroller.setAttribute("aria-label", `Chat ${person.name}`);
    this.rows = element("div", "rows");
    this.empty = element("div", "empty", ...(hint ?? []));
    this.scroller.append(this.empty, this.rows);
    this.ideas = element("div", "ideas when-linked");
    for (const words of ideas ?? []) {
      const button = element("button", "idea", words);
      button.type = "button";
      button.addEventListener("click", () => this.send(words));
      this.ideas.append(button);
    }
    this.root = element("div", "thread", this.scroller, this.ideas, this.composer());
    this.arrange();
  }

  put(bubble) {
    if (!isShown(bubble, this.side)) return;
    this.bubbles.set(bubble.id, bubble);
    const near = this.isNearEnd();
    if (bubble.file && !this.media.has(bubble.id)) {
      const made = file(bubble.file, bubble.kind);
      made.addEventListener("load", () => { if (near) this.toEnd(); });
      this.media.set(bubble.id, made);
    }
    const row = draw(bubble, { side: this.side, person: this.person, media: this.media.get(bubble.id) });
    if (!bubble.deleted) row.append(this.acts(bubble));
    row.addEventListener("click", (event) => this.touch(row, event));
    const old = this.rows.querySelector(`[data-id="${CSS.escape(bubble.id)}"]`);
    if (old) old.replaceWith(row);
    else this.rows.append(row);
    this.arrange();
    if (near) this.toEnd();
  }

  arrange() {
    this.empty.hidden = this.bubbles.size > 0;
    this.ideas.hidden = [...this.bubbles.values()].some((bubble) => isMine(bubble, this.side));
  }

  isNearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  // Fingers have no hover: a tap shows what can be done with a bubble.
  touch(row, event) {
    if (event.target.closest("button, a, audio")) return;
    const wasOpen = row.classList.contains("open");
    for (const open of this.rows.querySelectorAll(".open")) open.classList.remove("open");
    row.classList.toggle("open", !wasOpen);
  }

  acts(bubble) {
    const made = element("div", "acts");
    const act = (words, label, what) => {
      const button = element("button", "", words);
      button.type = "button";
      button.title = label;
      button.setAttribute("aria-label", label);
      button.addEventListener("click", () => { made.parentElement.classList.remove("open"); what(); });
      made.append(button);
    };
    act("↩", "Balas pesan ini", () => this.quote(bubble));
    if (!isMine(bubble, this.side)) {
      const own = bubble.reactions[this.side === "shop" ? "owner" : "customer"];
      for (const emoji of this.emoji) {
        act(emoji, `Reaksi ${emoji}`, () => this.order("react", { message: bubble.id, emoji: emoji === own ? "" : emoji }));
      }
    } else if (this.side === "customer") {
      if (bubble.kind === "text") act("✎", "Ubah pesan", () => this.edit(bubble));
      act("🗑", "Hapus pesan", () => this.order("revoke", { message: bubble.id }));
    }
    return made;
  }

  order(name, told) {
    return order(name, { chat: this.person.id, by_shop: this.side === "shop", ...told });
  }

  // --- Writing ---------------------------------------------------------------------------------------------

  composer() {
    this.about = element("div", "about");
    this.about.hidden = true;
    this.line = element("textarea", "");
    this.line.rows = 1;
    this.line.placeholder = "Ketik pesan";
    this.line.setAttribute("aria-label", `Ketik pesan, ${this.side === "shop" ? "HP toko ke " : ""}${this.person.name}`);
    this.line.addEventListener("input", () => this.grow());
    this.line.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.submit(); }
      if (event.key === "Escape") this.settle();
    });
    const send = element("button", "send", "➤");
    send.type = "submit";
    send.setAttribute("aria-label", "Kirim");
    const form = element("form", "composer", ...(this.side === "customer" ? [this.attachments()] : []), this.line, send);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    return element("div", "writing", this.about, form);
  }

  grow() {
    this.line.style.height = "auto";
    this.line.style.height = `${Math.min(this.line.scrollHeight, 110)}px`;
  }

  quote(bubble) {
    this.settle();
    this.quoting = bubble;
    this.tell(`Membalas ${isMine(bubble, this.side) ? "pesan sendiri" : this.nameOf(bubble)}`, bubble);
  }

  edit(bubble) {
    this.settle();
    this.editing = bubble;
    this.line.value = bubble.text;
    this.tell("Mengubah pesan", bubble);
    this.grow();
  }

  nameOf(bubble) {
    return this.side === "customer" ? "toko" : authorName(bubble.author, this.person);
  }

  tell(title, bubble) {
    const close = element("button", "close", "✕");
    close.type = "button";
    close.setAttribute("aria-label", "Batal");
    close.addEventListener("click", () => this.settle());
    this.about.replaceChildren(element("div", "quote", element("b", "", title), element("p", "", summary(bubble))), close);
    this.about.hidden = false;
    this.line.focus();
  }

  settle() {
    if (this.editing) this.line.value = "";
    this.quoting = this.editing = null;
    this.about.hidden = true;
    this.grow();
  }

  async submit() {
    const text = this.line.value.trim();
    if (!text) return;
    const { quoting, editing } = this;
    this.line.value = "";
    this.editing = null;
    this.settle();
    const done = editing
      ? await this.order("edit", { message: editing.id, text })
      : await this.send(text, quoting);
    // What could not be sent is not lost.
    if (!done && !this.line.value) this.line.value = text;
  }

  send(text, quoting) {
    this.toEnd();
    return this.order("send", { text, quoting: quoting?.id ?? "" });
  }

  attachments() {
    const menu = element("div", "menu");
    menu.hidden = true;
    const pick = (words, kind, accept) => {
      const input = element("input", "");
      input.type = "file";
      input.accept = accept;
      input.hidden = true;
      input.addEventListener("change", () => {
        const [chosen] = input.files;
        if (chosen) upload(this.person.id, kind, chosen, chosen.name);
        input.value = "";
      });
      const button = element("button", "", words);
      button.type = "button";
      button.addEventListener("click", () => { menu.hidden = true; input.click(); });
      menu.append(button, input);
    };
    pick("📷 Foto", "image", "image/png,image/jpeg,image/webp,image/gif");
    pick("📄 Dokumen", "document", "");
    const voice = element("button", "", "🎤 Pesan suara contoh");
    voice.type = "button";
    voice.addEventListener("click", () => { menu.hidden = true; upload(this.person.id, "voice", voiceNote(), "suara.wav"); });
    menu.append(voice);
    const plus = element("button", "plus", "+");
    plus.type = "button";
    plus.setAttribute("aria-label", "Lampirkan");
    plus.addEventListener("click", (event) => { event.stopPropagation(); menu.hidden = !menu.hidden; });
    document.addEventListener("click", () => { menu.hidden = true; });
    return element("div", "attach", plus, menu);
  }
}
