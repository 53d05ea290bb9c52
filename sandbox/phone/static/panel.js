// The bot's state, its code, the faults, and what happened.

import { order } from "./api.js";
import { clock, element } from "./marks.js";

// By state: colour of the lamp, words, and what it means.
const STATES = {
  "": ["amber", "Memulai…", "Prosesnya sedang dinyalakan."],
  starting: ["amber", "Memulai…", "Prosesnya sedang dinyalakan."],
  pairing: ["blue", "Menunggu dipindai", "Satu klik pada kode di bawah menautkan bot."],
  connecting: ["amber", "Menyambung…", "Ia mencoba lagi sendiri."],
  online: ["green", "Terhubung", "Pesan pelanggan masuk dan dijawab."],
  degraded: ["amber", "Terganggu", "WhatsApp tidak menjawab; pesan menunggu."],
  replaced: ["red", "Digantikan", "Proses lain memakai sesi ini."],
  banned: ["red", "Diblokir sementara", "Ia menunggu, lalu mulai lagi sendiri."],
  outdated: ["red", "Versi lama", "WhatsApp menolak versi ini."],
  unusable: ["red", "Sesi rusak", "Berkas sesi WhatsApp-nya tidak bisa dipakai."],
  logged_out: ["red", "Dikeluarkan", "Ia mulai lagi dengan kode baru."],
  stopping: ["grey", "Berhenti…", ""],
  stopped: ["grey", "Berhenti", "Prosesnya sebentar lagi dinyalakan."],
};

// What works beside the bot.
const MEMORIES = { embedded: ["green", "bawaan"], weaviate: ["green", "Weaviate"] };
const SEARCHES_BY_ITSELF = ["amber", "Weaviate mati, bot mencari sendiri"];
const PAYMENTS = { running: ["green", "jalan"], starting: ["amber", "dinyalakan…"], ended: ["red", "berhenti"] };

const get = (id) => document.getElementById(id);

function light(id, [colour, words]) {
  get(id).dataset.colour = colour;
  get(id).querySelector(".words").textContent = words;
}

export class Panel {
  constructor() {
    this.bot = {};
    this.trouble = {};
    this.buttons = [
      this.button("Putuskan koneksi", "Drop the connection once", () => order("drop")),
      this.button("Matikan jaringan", "Network down and up", () => order("network", { down: !this.trouble.down })),
      this.button("Bekukan jaringan", "Freeze and thaw", () => order("freeze", { frozen: !this.trouble.frozen })),
      this.button("Kirim dobel", "Deliver the next message twice", () => order("double")),
      this.button("Keluarkan bot", "Log the device out", () => order("log-out")),
      this.button("Blokir semenit", "Ban for a minute", () => order("ban")),
      this.button("Matikan proses bot", "kill -9", () => order("kill")),
      this.button("Matikan Midtrans", "Midtrans answers 500", () => order("midtrans", { down: !this.trouble.midtrans })),
      this.button("Matikan Starsender", "Starsender refuses all", () => order("starsender", { down: !this.trouble.starsender })),
    ];
    get("troubles").replaceChildren(...this.buttons);
    get("scan").addEventListener("click", async () => {
      get("scan").classList.add("busy");
      await order("scan");
      get("scan").classList.remove("busy");
    });
    get("start-again").addEventListener("click", () => order("start-again"));
    setInterval(() => this.draw(), 1000);
  }

  button(words, english, act) {
    const made = element("button", "", element("b", "", words), element("small", "english", english));
    made.type = "button";
    made.querySelector("small").lang = "en";
    made.addEventListener("click", act);
    return made;
  }

  setBot(bot) {
    if (bot.code && bot.code !== this.bot.code) get("code").src = `code.svg?${bot.code}`;
    this.bot = bot;
    this.draw();
  }

  setTrouble(trouble) {
    this.trouble = trouble;
    this.draw();
  }

  // The process is looked at first: what it wrote down last may be older than its death.
  get state() {
    const { life, state } = this.bot;
    if (life === "ended") {
      const [colour, words, meaning] = STATES[state] ?? STATES.stopped;
      const isWhy = colour === "red";
      return ["red", isWhy ? words : "Berhenti", `${isWhy ? `${meaning} ` : ""}Prosesnya tidak dinyalakan lagi sebelum dibetulkan.`];
    }
    if (life === "starting") return ["amber", "Dinyalakan…", "Prosesnya sedang dimulai."];
    return STATES[state] ?? ["amber", state, ""];
  }

  draw() {
    const [colour, words, meaning] = this.state;
    light("state", [colour, words]);
    light("memory", this.bot.memory_away ? SEARCHES_BY_ITSELF : MEMORIES[this.bot.memory] ?? ["grey", ""]);
    light("payments", PAYMENTS[this.bot.payments] ?? ["grey", ""]);
    const left = this.bot.state === "banned" && this.bot.until_ms
      ? ` Masih ${Math.max(0, Math.ceil((this.bot.until_ms - Date.now()) / 1000))} detik.` : "";
    get("state-detail").textContent = meaning + left;
    get("pairing").hidden = !this.bot.code || this.bot.state !== "pairing";
    get("start-again").hidden = this.bot.life !== "ended";
    const { down, frozen, doubling, banned_until_ms: banned } = this.trouble;
    const [drop, network, freeze, double, logOut, ban, kill, midtrans, starsender] = this.buttons;
    const linked = Boolean(this.bot.linked);
    document.body.classList.toggle("linked", linked);
    this.set(drop, { enabled: linked && !down });
    this.set(network, { enabled: linked || down, active: down, words: down ? "Hidupkan jaringan" : "Matikan jaringan" });
    this.set(freeze, { enabled: linked || frozen, active: frozen, words: frozen ? "Cairkan jaringan" : "Bekukan jaringan" });
    this.set(double, { enabled: linked && !doubling, active: doubling, words: doubling ? "Pesan berikut dobel" : "Kirim dobel" });
    this.set(logOut, { enabled: linked && !down && !frozen });
    this.set(ban, { enabled: linked && !down && !frozen && !banned, active: banned > 0 });
    this.set(kill, { enabled: this.bot.life === "running" });
    const { midtrans: noMidtrans, starsender: noStarsender } = this.trouble;
    this.set(midtrans, { enabled: true, active: noMidtrans, words: noMidtrans ? "Hidupkan Midtrans" : "Matikan Midtrans" });
    this.set(starsender, { enabled: true, active: noStarsender, words: noStarsender ? "Hidupkan Starsender" : "Matikan Starsender" });
  }

  set(button, { enabled, active = false, words }) {
    button.disabled = !enabled;
    button.classList.toggle("active", Boolean(active));
    if (words) button.querySelector("b").textContent = words;
  }

  write({ at_ms, text }) {
    get("diary").prepend(element("li", "", element("time", "", clock(at_ms)), element("span", "", text)));
  }

  clear() {
    get("diary").replaceChildren();
  }
}
