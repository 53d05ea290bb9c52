// The payment page. All state is the server's; each answer of it is drawn whole.

const root = location.pathname.replace(/\/$/, "");
const get = (id) => document.getElementById(id);
const rupiah = (amount) => `Rp${String(amount).replace(/\B(?=(\d{3})+$)/g, ".")}`;
const BADGES = {
  qris: ["QRIS", "qris"], gopay: ["GoPay", "gopay"], dana: ["DANA", "dana"], bca_va: ["BCA", "bca"], bni_va: ["BNI", "bni"],
  bri_va: ["BRI", "bri"], permata_va: ["Permata", "permata"], echannel: ["mandiri", "mandiri"], indomaret: ["Indomaret", "indomaret"],
  credit_card: ["KARTU", "card"],
};
const HINTS = {
  qris: "Scan dari aplikasi bank atau e-wallet apa saja", gopay: "Bayar dari aplikasi Gojek", dana: "Bayar dari aplikasi DANA",
  indomaret: "Tunjukkan kode di kasir", echannel: "Livin’ by Mandiri atau ATM", credit_card: "Visa, Mastercard, JCB",
};
let told = null;
let isChoosing = false;
let denied = false;

function element(tag, name, ...inside) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...inside);
  return made;
}

function button(name, words, act) {
  const made = element("button", name, words);
  made.type = "button";
  made.addEventListener("click", () => act(made));
  return made;
}

async function ask(path, order) {
  const request = order === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(order),
  };
  const response = await fetch(`${root}/${path}`, request);
  return response.json();
}

async function act(path, order, pressed) {
  if (pressed) pressed.disabled = true;
  try {
    draw(await ask(path, order));
  } catch {
    if (pressed) pressed.disabled = false;
  }
}

function head() {
  document.title = `Bayar ${rupiah(told.amount)} – ${told.merchant}`;
  get("merchant").textContent = told.merchant;
  get("amount").textContent = rupiah(told.amount);
  get("order").textContent = `No. ${told.order_id}`;
  get("lines").hidden = told.items.length === 0;
  get("lines").querySelector("ul").replaceChildren(...told.items.map((item) => element("li", "",
    element("span", "", item.quantity === 1 ? item.name : `${item.quantity} × ${item.name}`),
    element("span", "", item.price < 0 ? `-${rupiah(-item.price * item.quantity)}` : rupiah(item.price * item.quantity)))));
}

function badge(name) {
  const [words, look] = BADGES[name] ?? [name, ""];
  const made = element("span", `badge ${look}`, words);
  made.setAttribute("aria-hidden", "true");
  return made;
}

function choice() {
  const ways = told.methods.map(({ name, label }) => {
    const way = button("way", "", () => { isChoosing = false; denied = false; act("pick", { method: name }, way); });
    way.append(badge(name), element("span", "", element("b", "", label), element("small", "", HINTS[name] ?? "Transfer dari m-banking atau ATM")));
    way.dataset.method = name;
    return way;
  });
  const list = element("div", "ways", ...ways);
  return [...(denied ? [element("p", "warn", "Kartunya ditolak bank. Coba kartu atau cara bayar lain, ya.")] : []),
    element("h1", "", "Pilih cara bayar"), list];
}

function ending(words) {
  const pay = button("main", words, (pressed) => act("pay", {}, pressed));
  // Where there is one way only, as for a code that came by chat, nothing else can be picked.
  if (told.methods.length === 1) return element("div", "end", pay);
  return element("div", "end", pay, button("quiet", "Ganti cara bayar", () => { isChoosing = true; draw(told); }));
}

function scan() {
  const code = element("img", "code");
  code.src = `${root}/code.svg?${encodeURIComponent(told.method.name)}`;
  code.alt = "Kode QRIS";
  return [element("h1", "", told.method.label), element("div", "panel", code, element("p", "number", rupiah(told.amount)),
    element("p", "hint", "Buka aplikasi bank atau e-wallet, lalu scan kode ini.")), ending("Bayar sekarang (simulasi)")];
}

function numberOf(details) {
  if (details.va_numbers) return ["Nomor Virtual Account", details.va_numbers[0].va_number];
  if (details.permata_va_number) return ["Nomor Virtual Account", details.permata_va_number];
  if (details.bill_key) return [`Kode perusahaan ${details.biller_code}, nomor tagihan`, details.bill_key];
  if (details.payment_code) return ["Kode pembayaran", details.payment_code];
  return null;
}

function transfer() {
  const [title, number] = numberOf(told.details);
  const copy = button("copy", "Salin", async () => {
    try { await navigator.clipboard.writeText(number); copy.textContent = "Tersalin ✓"; } catch { copy.textContent = "Salin manual ya"; }
  });
  const steps = told.method.name === "indomaret"
    ? ["Datang ke kasir Indomaret.", "Sebut “bayar Midtrans”, tunjukkan kode ini.", "Bayar sesuai total."]
    : ["Buka m-banking, pilih Transfer lalu Virtual Account.", "Masukkan nomor di atas.", "Periksa nama toko dan total, lalu bayar."];
  return [element("h1", "", told.method.label),
    element("div", "panel", badge(told.method.name), element("p", "name", title), element("p", "number", number), copy),
    element("ol", "steps", ...steps.map((step) => element("li", "", step))), ending("Bayar sekarang (simulasi)")];
}

function field(words, value, options = {}) {
  const input = element("input", "");
  Object.assign(input, { value, autocomplete: "off", ...options });
  return element("label", "", words, input);
}

function card() {
  const form = element("form", "",
    field("Nomor kartu (contoh)", "4811 1111 1111 1114", { inputMode: "numeric" }),
    element("div", "pair", field("Berlaku sampai", "12/30"), field("CVV", "123", { inputMode: "numeric" })));
  const pay = element("button", "main", `Bayar ${rupiah(told.amount)}`);
  pay.type = "submit";
  form.append(pay);
  form.addEventListener("submit", (event) => { event.preventDefault(); act("pay", {}, pay); });
  const refuse = button("quiet", "Coba kartu yang ditolak", () => { denied = true; isChoosing = true; act("deny", {}); });
  const change = button("quiet", "Ganti cara bayar", () => { isChoosing = true; draw(told); });
  return [element("h1", "", told.method.label), form, element("div", "end", refuse, change)];
}

function wallet() {
  return [element("h1", "", told.method.label), element("div", "panel", badge(told.method.name),
    element("p", "hint", `Aplikasi ${told.method.label} akan terbuka di HP Anda untuk menyetujui pembayaran.`)), ending("Setujui pembayaran (simulasi)")];
}

function done(look, sign, title, words, ...more) {
  return [element("div", "done", element("div", `mark ${look}`, sign), element("h1", "", title), element("p", "", words), ...more)];
}

function success() {
  const back = told.finish && /^https?:/.test(told.finish) ? element("a", "main", "Kembali ke toko")
    : button("main", "Tutup halaman ini", () => window.close());
  if (back.tagName === "A") back.href = told.finish;
  return [...done("", "✓", "Pembayaran berhasil", `${rupiah(told.amount)} dengan ${told.method.label}. Invoice dikirim ke WhatsApp Anda.`),
    element("div", "end", back)];
}

function body() {
  if (told.paid) return success();
  if (["refund", "partial_refund"].includes(told.status)) return done("grey", "↩", "Dana dikembalikan", "Pembayaran ini sudah dikembalikan toko.");
  if (told.status === "expire" || !told.open) return done("grey", "⏱", "Waktu bayar habis", "Balas chat toko di WhatsApp untuk minta tautan baru.");
  if (told.status === "cancel") return done("grey", "✕", "Pembayaran dibatalkan", "Balas chat toko di WhatsApp kalau masih ingin memesan.");
  if (told.methods.length === 0) return done("bad", "!", "Belum ada cara bayar", "Toko belum menyalakan cara bayar untuk jumlah ini.");
  if (!told.method || isChoosing || told.status === "deny") return choice();
  if (told.method.name === "qris") return scan();
  if (told.method.name === "credit_card") return card();
  return numberOf(told.details) ? transfer() : wallet();
}

function draw(now) {
  told = now;
  head();
  get("body").replaceChildren(...body());
  get("body").dataset.status = told.paid ? "paid" : told.status;
  tick();
}

function tick() {
  const clock = get("clock");
  const left = told?.expires_ms && !told.paid && told.open ? told.expires_ms - Date.now() : 0;
  clock.hidden = left <= 0;
  const seconds = Math.floor(left / 1000);
  const pad = (value) => String(value).padStart(2, "0");
  clock.textContent = `Bayar dalam ${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
}

async function look() {
  try {
    const now = await ask("state");
    // What the customer is typing or reading is not drawn anew for nothing.
    if (now.status !== told?.status || now.open !== told?.open) draw(now);
  } catch { /* The next look finds the server again. */ }
}

draw(await ask("state"));
setInterval(tick, 1000);
setInterval(look, 2000);
