// What the page asks of the server. A refusal is shown to the person, never thrown at the caller.

let notice = null;
let timer = 0;

export function say(text) {
  notice ??= document.getElementById("notice");
  notice.textContent = text;
  notice.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => { notice.hidden = true; }, 5000);
}

async function answered(request) {
  try {
    const response = await request;
    if (response.ok) return true;
    const told = await response.json().catch(() => ({}));
    say(told.error ?? (response.status === 413 ? "Berkasnya terlalu besar." : `Gagal (${response.status}).`));
  } catch {
    say("Demo tidak menjawab; apakah masih berjalan?");
  }
  return false;
}

// Whether it was done.
export function order(name, told = {}) {
  return answered(fetch(`do/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(told),
  }));
}

export function upload(chat, kind, file, name) {
  const address = `upload/${chat}/${kind}?name=${encodeURIComponent(name)}`;
  return answered(fetch(address, {
    method: "POST",
    headers: { "Content-Type": file.type || "application/octet-stream" },
    body: file,
  }));
}
