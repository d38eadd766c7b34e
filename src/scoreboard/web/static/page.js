// The live top 10. The board comes whole with each event, so a missed one needs no repair.

const board = new URLSearchParams(location.search).get("board");
const query = board === null ? "" : `?board=${encodeURIComponent(board)}`;

const state = document.getElementById("state");
const summary = document.getElementById("summary");
const entries = document.getElementById("entries");
const empty = document.getElementById("empty");

const number = new Intl.NumberFormat();
const RETRY_MS = 2000;

function say(name, text) {
  state.dataset.state = name;
  state.textContent = text;
}

function cell(text) {
  const element = document.createElement("td");
  element.textContent = text;
  return element;
}

function row(entry) {
  const element = document.createElement("tr");
  const name = cell(entry.name);
  name.dir = "auto";
  name.title = entry.name;
  element.append(cell(entry.rank), name, cell(number.format(entry.score)));
  return element;
}

function show(snapshot) {
  entries.replaceChildren(...snapshot.entries.map(row));
  empty.hidden = snapshot.entries.length > 0;
  summary.textContent =
    snapshot.players > snapshot.entries.length
      ? `The top ${snapshot.entries.length} of ${number.format(snapshot.players)} players`
      : `The top ${snapshot.entries.length || 10}`;
}

function watch() {
  const source = new EventSource(`/api/leaderboard/stream${query}`);
  source.addEventListener("open", () => say("live", "Live"));
  source.addEventListener("leaderboard", (event) => show(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    say("lost", "Connection lost, trying again …");
    // A browser gives up for good on any status but 200: begin anew.
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(watch, RETRY_MS * (0.5 + Math.random()));
    }
  });
}

watch();
