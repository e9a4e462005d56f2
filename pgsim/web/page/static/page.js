// Makes the pages answer at once. Without it every form and link works by loading a page.

const WAIT = 150; // ms after the last key or move of a slider
const asked = new Map(); // the request that is under way for each part of the page

/** Put the part of another page that `target` selects in the place of this page's. */
async function show(url, target) {
    asked.get(target)?.abort();
    const asking = new AbortController();
    asked.set(target, asking);
    const old = document.querySelector(target);
    old.setAttribute("aria-busy", "true");
    try {
        const response = await fetch(url, { signal: asking.signal });
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const found = page.querySelector(target);
        if (!found) return location.assign(url); // a page about a problem
        document.querySelector(target).replaceWith(found);
        document.title = page.title;
        wake(found);
        say(document.querySelector("[data-says]")?.dataset.says);
    } catch (error) {
        if (error.name === "AbortError") return;
        old.removeAttribute("aria-busy");
        say("The server does not answer.");
    }
}

function say(text) {
    document.querySelector("#says").textContent = text ?? "";
}

/** Start what a part of the page needs besides its HTML. */
function wake(part) {
    mark();
    for (const map of part.querySelectorAll("[data-map]")) {
        import(map.dataset.map).then((module) => module.start(map, show));
    }
}

// --- forms that answer while one types

function address(form) {
    const url = new URL(form.action);
    url.search = "";
    for (const [name, value] of new FormData(form)) {
        const field = form.elements[name];
        if (value !== "" && value !== field.dataset?.default) url.searchParams.append(name, value);
    }
    return url;
}

function ask(form, isDone) {
    const url = address(form);
    if (url.href === location.href) return;
    const isHere = url.pathname === location.pathname;
    history[isHere && !isDone ? "replaceState" : "pushState"](null, "", url);
    show(url, form.dataset.live);
}

let waiting;
document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-live]");
    if (event.target.type === "range") event.target.parentElement.querySelector("output").value = event.target.value;
    if (!form) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => ask(form, false), WAIT);
});
document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-live]")) {
        event.preventDefault();
        clearTimeout(waiting);
        ask(form, true);
    } else if (form.matches("[data-rate]")) {
        event.preventDefault();
        rate(form, event.submitter);
    }
});

// --- ratings

async function rate(form, button) {
    const body = new URLSearchParams([...new FormData(form), [button.name, button.value]]);
    const response = await fetch(form.action, { method: "POST", body, redirect: "manual" });
    const isStored = response.type === "opaqueredirect"; // to the page that a browser without scripts shows
    for (const each of form.querySelectorAll("button")) each.setAttribute("aria-pressed", isStored && each === button);
    say(isStored ? "Your verdict is stored." : "Your verdict could not be stored.");
}

// --- the player: music goes on while one looks at other pages

const player = document.querySelector("#player");
const audio = player.querySelector("audio");

function play(link) {
    audio.src = link.href;
    player.querySelector("p").textContent = link.dataset.play;
    player.hidden = false;
    audio.play().catch(() => say("This recording cannot be played."));
    mark();
}

/** Mark the recording that plays among those of the page. */
function mark() {
    for (const link of document.querySelectorAll("[data-play]")) {
        link.toggleAttribute("aria-current", !player.hidden && link.href === audio.src);
    }
}

audio.addEventListener("ended", () => {
    const links = [...document.querySelectorAll("[data-play]")];
    const next = links[links.findIndex((link) => link.href === audio.src) + 1];
    if (next) play(next);
});
audio.addEventListener("error", () => {
    if (!player.hidden) player.querySelector("p").textContent += ": this recording cannot be played";
});
player.querySelector("button").addEventListener("click", () => {
    player.hidden = true;
    audio.removeAttribute("src");
    audio.load();
    mark();
});

document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.matches("[data-play]")) {
        event.preventDefault();
        if (link.hasAttribute("aria-current")) audio[audio.paused ? "play" : "pause"]();
        else play(link);
    } else if (!player.hidden && link.origin === location.origin && !link.matches("[download], [href*='#'], [href*='/docs']")) {
        event.preventDefault();
        history.pushState(null, "", link.href);
        show(link.href, "#main").then(() => {
            document.querySelector("#main").focus({ preventScroll: true });
            scrollTo(0, 0);
        });
    }
});
addEventListener("popstate", () => show(location.href, "#main"));

wake(document);
