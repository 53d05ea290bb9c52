// A two-second voice note to send: two hummed notes as a WAV file, so that no microphone is needed.

const RATE = 8000;
const SECONDS = 2;

export function voiceNote() {
  const count = RATE * SECONDS;
  const view = new DataView(new ArrayBuffer(44 + count));
  const words = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  words(0, "RIFF");
  view.setUint32(4, 36 + count, true);
  words(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM, one channel, eight bits
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  words(36, "data");
  view.setUint32(40, count, true);
  for (let i = 0; i < count; i++) {
    const hertz = i < count / 2 ? 196 : 247;
    const fade = Math.sin((Math.PI * (i % (count / 2))) / (count / 2));
    view.setUint8(44 + i, 128 + Math.round(60 * fade * Math.sin((2 * Math.PI * hertz * i) / RATE)));
  }
  return new Blob([view], { type: "audio/wav" });
}
