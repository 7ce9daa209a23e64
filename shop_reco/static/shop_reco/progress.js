// Trainings tell how far they are, every two seconds while any waits or runs.
const EVERY = 2000;

function show(card, run) {
  card.querySelector("progress").value = run.percent;
  card.querySelector("[data-reco-told]").textContent = run.told;
  card.querySelector("[data-reco-cancel]")?.toggleAttribute("hidden", !run.busy);
  card.querySelector("[data-reco-done]")?.toggleAttribute("hidden", run.busy);
}

async function look(board) {
  const reply = await fetch(board.dataset.recoProgress, { headers: { Accept: "application/json" } });
  if (!reply.ok) return false;
  const { runs, busy } = await reply.json();
  for (const [kind, run] of Object.entries(runs)) {
    const card = board.querySelector(`[data-reco-run="${CSS.escape(kind)}"]`);
    if (card) show(card, run);
  }
  return busy;
}

function watch(board) {
  look(board)
    .then((busy) => busy && setTimeout(watch, EVERY, board))
    .catch(() => setTimeout(watch, EVERY, board)); // the server may be starting anew
}

document.addEventListener("DOMContentLoaded", () => {
  const board = document.querySelector("[data-reco-progress]");
  if (board?.querySelector("[data-reco-run]")) setTimeout(watch, EVERY, board);
});
