// Tells the shop what a shopper does, each event once in effect, however often it has to be sent:
//   tracker({ url: "/events/beacon/", owner: mark }).track({ type: "VIEW_ITEM", product: id });
// owner is me.mark of GraphQL, "" before consent: then nothing is kept and nothing is sent.
// An event waits in localStorage, under a key of its own, until the shop has answered for it; sent twice it counts
// once, so that pages need not know of each other.
const PREFIX = "reco:event:";
const FIELDS = ["id", "type", "product", "sku", "occurredAt", "quantity", "rating", "text", "query", "channel", "slateId"];
const TYPES = /^(view_item(_list)?|select_item|add_to_(cart|wishlist)|remove_from_cart|search|rate|review)$/i;
const SIZE = 15_000; // characters, of up to three bytes: a closing page may send 64 KB

function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID(); // only on https and localhost
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte | 256).toString(16).slice(1)).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20)].join("-");
}

// A browser may forbid the storage, or have no room: then an event lives as long as its page.
function attempt(work) {
  try { return work(); } catch { return undefined; }
}

export function tracker({ url, owner, most = 200, batch = 20, wait = 300 }) {
  const address = `${url}?owner=${encodeURIComponent(owner)}`;
  const waiting = new Map(); // by id
  const told = new Set(); // sent when the page was hidden
  let failures = 0, timer, sending;

  const keys = () => attempt(() => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))) ?? [];
  const erase = (key) => attempt(() => localStorage.removeItem(key));
  const drop = (id) => { waiting.delete(id); erase(PREFIX + id); };
  const later = (delay) => { clearTimeout(timer); timer = setTimeout(flush, delay); };

  // Consent is gone, and so is what waits.
  function forget() {
    owner = "";
    clearTimeout(timer);
    waiting.clear();
    keys().forEach(erase);
  }

  // Take over what other pages of this shopper left; somebody else's goes.
  function recall() {
    for (const key of owner ? keys() : []) {
      const kept = attempt(() => JSON.parse(localStorage[key]));
      if (kept?.owner === owner && kept.event?.id) waiting.set(kept.event.id, kept.event);
      else erase(key);
    }
  }

  function track(event) {
    if (!owner || !TYPES.test(event.type)) return;
    const all = { id: uuid(), occurredAt: new Date().toISOString(), ...event };
    const kept = Object.fromEntries(FIELDS.filter((name) => all[name] != null).map((name) => [name, all[name]]));
    while (waiting.size >= most) drop(waiting.keys().next().value);
    waiting.set(kept.id, kept);
    if (keys().length < most) attempt(() => { localStorage[PREFIX + kept.id] = JSON.stringify({ owner, event: kept }); });
    if (!failures) later(wait);
  }

  function first(events) {
    let size = 0;
    return events.slice(0, batch).filter((event, place) => (size += JSON.stringify(event).length) < SIZE || !place);
  }

  async function send() {
    clearTimeout(timer);
    while (owner && waiting.size) {
      const events = first([...waiting.values()]);
      const headers = { "Content-Type": "text/plain" };
      const reply = await fetch(address, { method: "POST", keepalive: true, headers, body: JSON.stringify(events) });
      const said = await reply.json().catch(() => ({}));
      const gone = said.rejected?.some(({ code }) => code === "CONSENT_REQUIRED");
      if (gone || reply.status === 409 || reply.status === 410) return forget();
      if (reply.status >= 500 || reply.status === 429 || (reply.ok && !said.rejected)) throw reply;
      if (reply.status === 413 && events.length > 1) batch = events.length >> 1;
      else events.forEach(({ id }) => drop(id)); // stored, or refused for good
      failures = 0;
    }
  }

  // Resolves when all is sent or has to wait, twice as long after each failure.
  function flush() {
    return (sending ??= send().catch((problem) => {
      const asked = 1000 * problem?.headers?.get("Retry-After") || 0;
      later(Math.max(asked, Math.min(60_000, 1000 * 2 ** failures++) * (0.5 + Math.random() / 2)));
    }).finally(() => { sending = undefined; }));
  }

  // The page may never hear an answer: the next one sends the same again.
  function leave() {
    for (let left; owner && (left = first([...waiting.values()].filter(({ id }) => !told.has(id)))).length;) {
      if (!attempt(() => navigator.sendBeacon(address, JSON.stringify(left)))) return;
      left.forEach(({ id }) => told.add(id));
    }
  }

  if (owner === "") forget();
  recall();
  if (waiting.size) later(wait);
  addEventListener("online", () => { recall(); flush(); });
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : flush()));
  return { track, flush, forget };
}
