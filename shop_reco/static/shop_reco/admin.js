// A button that carries a question puts it before it posts.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-reco-ask]");
  if (button && !window.confirm(button.dataset.recoAsk)) {
    event.preventDefault();
  }
});

// A button that shows what a form would do puts the answer below itself; without scripts it opens in another tab.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-reco-preview]");
  if (!button) return;
  event.preventDefault();
  const place = document.getElementById(button.dataset.recoPreview);
  place.setAttribute("aria-busy", "true");
  try {
    const headers = { "X-Requested-With": "fetch" };
    const reply = await fetch(button.formAction, { method: "POST", body: new FormData(button.form), headers });
    if (!reply.ok) throw new Error(reply.statusText);
    place.innerHTML = await reply.text();
  } catch {
    place.textContent = button.dataset.failed;
  } finally {
    place.removeAttribute("aria-busy");
  }
});
