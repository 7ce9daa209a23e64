// What the shopper does on a page, told to GraphQL.
const endpoint = document.body.dataset.graphql;

async function ask(query, variables, keepalive = false) {
  const reply = await fetch(endpoint, {
    method: "POST",
    keepalive,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await reply.json();
  if (errors) throw new Error(errors[0].message);
  return data;
}

function tell(text) {
  const news = document.getElementById("news");
  news.textContent = text;
  news.hidden = false;
}

const TRACK = "mutation($events: [EventInput!]!) { trackEvents(events: $events) { accepted } }";
function track(event) {
  return ask(TRACK, { events: [{ id: crypto.randomUUID(), ...event }] }, true).catch(() => {});
}

const { viewed, searched } = document.body.dataset;
if (viewed) track({ type: "VIEW_ITEM", product: viewed }).then(() => { document.body.dataset.told = "yes"; });
if (searched) track({ type: "SEARCH", query: searched });

const FEEDBACK = "mutation($input: FeedbackInput!) { giveFeedback(input: $input) { ok errors { message } } }";
for (const card of document.querySelectorAll("[data-slate] .card")) {
  const slateId = card.closest("[data-slate]").dataset.slate;
  const { product } = card.dataset;
  card.querySelector("a").addEventListener("click", () => track({ type: "SELECT_ITEM", product, slateId }));
  const no = card.querySelector(".no");
  no?.addEventListener("click", async () => {
    no.disabled = true;
    try {
      await ask(FEEDBACK, { input: { product, slateId, kind: "NOT_INTERESTED" } });
      for (const same of document.querySelectorAll(`[data-product="${CSS.escape(product)}"]`)) same.remove();
      tell(no.dataset.said);
    } catch {
      no.disabled = false;
      tell(document.body.dataset.failed);
    }
  });
}

const CONSENT = "mutation($input: ConsentInput!) { updateConsent(input: $input) { consents { purpose granted } } }";
for (const button of document.querySelectorAll("[data-consent]")) {
  button.addEventListener("click", async () => {
    if (button.dataset.consent === "false") return button.closest(".consent").remove();
    await ask(CONSENT, { input: { personalisation: true, training: true, analytics: true } });
    location.reload();
  });
}
for (const box of document.querySelectorAll("[data-purpose]")) {
  box.addEventListener("change", () => ask(CONSENT, { input: { [box.dataset.purpose]: box.checked } }));
}

const EDIT = "mutation($input: InterestsInput!) { editInterests(input: $input) { errors { message } } }";
for (const button of document.querySelectorAll("[data-edit]")) {
  button.addEventListener("click", async () => {
    const { kind, key } = button.closest("li").dataset;
    const action = button.getAttribute("aria-pressed") === "true" ? "clear" : button.dataset.edit;
    await ask(EDIT, { input: { [action]: [{ kind, key }] } });
    location.reload();
  });
}

document.getElementById("export")?.addEventListener("click", async () => {
  const { exportMyData } = await ask("mutation { exportMyData { json } }", {});
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([exportMyData.json], { type: "application/json" }));
  link.download = "my-data.json";
  link.click();
});
const erase = document.getElementById("erase");
erase?.addEventListener("click", async () => {
  if (!confirm(erase.dataset.question)) return;
  await ask("mutation { eraseMe(confirm: true) { receipt } }", {});
  location.assign("/");
});
