// What a page does beyond its forms: answers appear while they are written. Without this file the same forms give
// the same answers as whole pages. Texts of models only ever become text nodes; HTML comes escaped from the server.
import { events } from "./stream.js";

const main = document.getElementById("main");
const status = document.getElementById("status");
const waiting = new Map(); // words of each answer that the next frame will show
let drawing = 0;

document.addEventListener("submit", (event) => {
  const form = event.target;
  const way = form.dataset.way;
  if (!way || event.defaultPrevented) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  if (way === "stop") return void send(form, data);
  if (form.hasAttribute("aria-busy")) return;
  form.setAttribute("aria-busy", "true");
  ask(form, data).catch(() => note(document.body.dataset.broken)).finally(() => form.removeAttribute("aria-busy"));
});

document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && box.matches?.("textarea, input")) box.form?.requestSubmit();
});

async function ask(form, data) {
  const response = await send(form, data, "text/event-stream");
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    main.replaceChildren(...page.getElementById("main").childNodes);
    main.focus();
    return;
  }
  let ended = false;
  for await (const [kind, told] of events(response)) {
    hear(kind, told);
    ended ||= kind === "end";
  }
  if (!ended) note(document.body.dataset.broken);
}

function send(form, data, accept = "application/json") {
  return fetch(form.action, {
    method: "POST", body: new URLSearchParams(data), headers: { accept }, credentials: "same-origin",
  });
}

function hear(kind, told) {
  if (kind === "begin") begin(told);
  else if (kind === "say") say(told.id, told.text);
  else if (kind === "body") body(told);
  else if (kind === "answer") answer(told);
  else if (kind === "note") note(told.text);
  else if (kind === "end") end(told);
}

function begin({ html, fresh }) {
  if (fresh) main.replaceChildren();
  document.getElementById("say")?.remove();
  const part = parsed(html);
  for (const old of part.querySelectorAll("[id]")) {
    const there = document.getElementById(old.id);
    if (there) { there.replaceWith(old); }
  }
  main.append(part);
  const heading = main.querySelector(".round:last-of-type .question");
  heading?.focus({ preventScroll: true });
  heading?.scrollIntoView({ block: "start" });
}

// Words are gathered and shown once a frame, however many answers are being written.
function say(id, text) {
  waiting.set(id, (waiting.get(id) ?? "") + text);
  drawing ||= requestAnimationFrame(draw);
}

function draw() {
  drawing = 0;
  for (const [id, text] of waiting) {
    const said = document.querySelector(`#${id} .said`);
    if (!said) continue;
    let last = said.lastElementChild;
    if (last?.tagName !== "P") {
      last = document.createElement("p");
      said.append(last);
    }
    last.append(text);
    const preview = document.querySelector(`#${id} .preview`);
    if (preview && preview.textContent.length < 400) preview.append(text);
  }
  waiting.clear();
}

function body({ id, html, preview }) {
  waiting.delete(id);
  document.querySelector(`#${id} .said`)?.replaceChildren(parsed(html));
  document.querySelector(`#${id} .preview`)?.replaceChildren(parsed(preview));
}

function answer({ id, html, told }) {
  waiting.delete(id);
  const old = document.getElementById(id);
  if (!old) return;
  const part = parsed(html);
  const open = old.querySelector("details.fold")?.open;
  if (open) part.querySelector("details.fold").open = true;
  const focused = old.contains(document.activeElement);
  old.replaceWith(part);
  if (focused) document.querySelector(`#${id} summary, #${id} a`)?.focus();
  note(told);
}

function note(text) {
  if (status.textContent !== text) status.textContent = text;
  const line = document.querySelector(".going .line, .ask .line");
  if (line) line.textContent = text;
}

function end({ html, url, told }) {
  document.querySelector(".going")?.remove();
  main.append(parsed(html));
  history.replaceState(null, "", url);
  note(told);
}

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}
