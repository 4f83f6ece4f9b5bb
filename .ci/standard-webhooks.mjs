// The JavaScript library's side of the comparison in `.ci/webhooks`. Usage: sign COUNT | verify; messages are lines of JSON.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { once } from "node:events";

const { Webhook } = createRequire(process.env.STANDARD_WEBHOOKS)("standardwebhooks");

// mulberry32: the same messages every time, but for their time.
let state = 3;
function random(limit) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % limit;
}

async function sign(count) {
  const now = new Date();
  const pieces = ["a", "7", " ", '"', "\\", "\n", "é", "北", "🚚", "\x7f"];
  for (let number = 0; number < count; number++) {
    const key = Buffer.from(Array.from({ length: 24 + random(41) }, () => random(256)));
    const text = Array.from({ length: random(60) }, () => pieces[random(pieces.length)]).join("");
    const body = JSON.stringify({ text, number: random(2 ** 31) });
    const id = `msg_${number}_${random(2 ** 31).toString(16)}`;
    const secret = "whsec_" + key.toString("base64");
    const message = {
      secret,
      id,
      timestamp: String(Math.floor(now.getTime() / 1000)),
      signature: new Webhook(secret).sign(id, now, body),
      body,
      expect: true,
    };
    if (number % 10 === 9) change(message, Math.floor(number / 10) % 5);
    if (!process.stdout.write(JSON.stringify(message) + "\n")) await once(process.stdout, "drain");
  }
}

function change(message, kind) {
  message.expect = false;
  if (kind === 0) message.body += " ";
  else if (kind === 1) message.id += "0";
  else if (kind === 2) message.timestamp = String(Number(message.timestamp) - 1);
  else if (kind === 3) message.secret = "whsec_" + Buffer.alloc(24, 7).toString("base64");
  else message.signature = "v1," + Buffer.alloc(32, 7).toString("base64");
}

function believes(message) {
  const headers = {};
  for (const name of ["id", "timestamp", "signature"]) headers[`webhook-${name}`] = message[name];
  try {
    new Webhook(message.secret).verify(message.body, headers);
    return true;
  } catch {
    return false;
  }
}

async function verify() {
  let [believed, refused, wrong] = [0, 0, 0];
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line);
    const is = believes(message);
    if (is) believed++;
    else refused++;
    if (is !== message.expect) wrong++;
  }
  console.error(`javascript: ${believed} believed, ${refused} refused, ${wrong} wrongly`);
  process.exitCode = wrong || !believed ? 1 : 0;
}

await (process.argv[2] === "sign" ? sign(Number(process.argv[3])) : verify());
