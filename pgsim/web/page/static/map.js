// The map: points of the tiles in view, on a canvas. Tiles are squares of a quadtree; each holds a
// sample of its recordings, and all of them where they are few.

const LIMIT = 600; // recordings of a tile
const TILE = 320; // pixels that a tile covers at least
const KEPT = 400; // tiles in memory
const DEEPEST = 20;
const NEAR = 14; // pixels from a point within which it is chosen

/** Start the map in an element; `show` puts a part of another page in the place of this page's. */
export function start(element, show) {
    const canvas = element.querySelector("canvas");
    const tip = element.querySelector(".tip");
    const paper = canvas.getContext("2d");
    const { tiles: source, recording, colour } = element.dataset;
    const [left, bottom, right, top, side] = [-1, -1, 1, 1, 2]; // where the map lies
    let [x, y, zoom] = numbers(element.dataset.view);
    const around = element.dataset.around && numbers(element.dataset.around);
    const tiles = new Map();
    const colours = legend();
    let width, height, isDrawing, settled;

    // Pixels of one unit of the map: the whole of it is in view at zoom 0.
    const scale = () => (Math.min(width, height) / side) * 2 ** zoom;
    const across = (mapX) => (mapX - x) * scale() + width / 2;
    const down = (mapY) => height / 2 - (mapY - y) * scale();

    function legend() {
        const found = new Map();
        for (const each of document.querySelectorAll(".legend [data-value]")) {
            found.set(each.dataset.value, getComputedStyle(each.querySelector(".swatch")).backgroundColor);
        }
        return found;
    }

    function inView() {
        const halfWidth = width / 2 / scale();
        const halfHeight = height / 2 / scale();
        return [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight];
    }

    /** The tiles of a level that are in view. */
    function* visible(level) {
        const size = side / 2 ** level;
        const [x0, y0, x1, y1] = inView();
        const most = 2 ** level - 1;
        const clip = (value) => Math.min(most, Math.max(0, Math.floor(value)));
        for (let i = clip((x0 - left) / size); i <= clip((x1 - left) / size); i++) {
            for (let j = clip((y0 - bottom) / size); j <= clip((y1 - bottom) / size); j++) yield [level, i, j];
        }
    }

    const level = () => Math.max(0, Math.min(DEEPEST, Math.floor(Math.log2((side * scale()) / TILE))));

    /** Whether all recordings of a tile are known from one around it. */
    function isComplete(level, i, j) {
        for (let up = 1; up <= level; up++) {
            if (tiles.get([level - up, i >> up, j >> up].join())?.isComplete) return true;
        }
        return false;
    }

    async function load(level, i, j) {
        const key = [level, i, j].join();
        if (tiles.has(key) || isComplete(level, i, j)) return;
        const tile = { points: [], isComplete: false };
        tiles.set(key, tile);
        const size = side / 2 ** level;
        const query = new URLSearchParams({
            x0: left + i * size, y0: bottom + j * size, x1: left + (i + 1) * size, y1: bottom + (j + 1) * size, limit: LIMIT,
        });
        try {
            const response = await fetch(`${source}?${query}`);
            if (!response.ok) throw new Error(response.statusText);
            tile.points = await response.json();
            tile.isComplete = tile.points.length < LIMIT;
            draw();
        } catch {
            tiles.delete(key);
        }
    }

    function loadInView() {
        for (let each = 0; each <= level(); each++) for (const tile of visible(each)) load(...tile);
        for (const key of tiles.keys()) {
            if (tiles.size <= KEPT) break;
            tiles.delete(key); // the oldest
        }
    }

    function* points() {
        for (let each = 0; each <= level(); each++) {
            for (const tile of visible(each)) yield* tiles.get(tile.join())?.points ?? [];
        }
    }

    function draw() {
        if (isDrawing) return;
        isDrawing = true;
        requestAnimationFrame(() => {
            isDrawing = false;
            const radius = Math.min(5, 1.8 + zoom * 0.5);
            const other = colours.get("");
            paper.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
            paper.clearRect(0, 0, width, height);
            let count = 0;
            for (const point of points()) {
                paper.fillStyle = colours.get(meaning(point)) ?? other;
                paper.beginPath();
                paper.arc(across(point.x), down(point.y), radius, 0, 2 * Math.PI);
                paper.fill();
                count++;
            }
            if (around) ring(...around);
            canvas.dataset.points = count;
        });
    }

    function meaning(point) {
        if (colour === "genre") return point.genre;
        return point.year === null ? null : String(point.year - (point.year % 10));
    }

    function ring(mapX, mapY) {
        paper.strokeStyle = getComputedStyle(canvas).color;
        paper.lineWidth = 2;
        paper.beginPath();
        paper.arc(across(mapX), down(mapY), 10, 0, 2 * Math.PI);
        paper.stroke();
    }

    function nearest(atX, atY) {
        let best, least = NEAR;
        for (const point of points()) {
            const distance = Math.hypot(across(point.x) - atX, down(point.y) - atY);
            if (distance < least) [best, least] = [point, distance];
        }
        return best;
    }

    /** Draw, load what is missing, and bring the address and the list up to date when all is still. */
    function moved() {
        zoom = Math.min(DEEPEST, Math.max(0, zoom));
        x = Math.min(right, Math.max(left, x));
        y = Math.min(top, Math.max(bottom, y));
        tip.hidden = true;
        draw();
        clearTimeout(settled);
        settled = setTimeout(() => {
            loadInView();
            for (const link of [location, ...document.querySelectorAll(".tabs a")]) {
                const url = new URL(link.href);
                for (const [name, value] of Object.entries({ x, y, zoom })) url.searchParams.set(name, Number(value.toPrecision(6)));
                if (link === location) history.replaceState(null, "", url);
                else link.href = url;
            }
            show(location.href, "#answer");
        }, 200);
    }

    function zoomAt(steps, atX = width / 2, atY = height / 2) {
        const mapX = x + (atX - width / 2) / scale();
        const mapY = y - (atY - height / 2) / scale();
        zoom = Math.min(DEEPEST, Math.max(0, zoom + steps));
        x = mapX - (atX - width / 2) / scale();
        y = mapY + (atY - height / 2) / scale();
        moved();
    }

    const fingers = new Map();
    let travelled = 0;
    canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        fingers.set(event.pointerId, event);
        travelled = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
        const before = fingers.get(event.pointerId);
        if (!before) return hover(event);
        const others = [...fingers.values()].filter((each) => each.pointerId !== event.pointerId);
        fingers.set(event.pointerId, event);
        if (others.length === 1) {
            const [other] = others;
            const apart = (one) => Math.hypot(one.offsetX - other.offsetX, one.offsetY - other.offsetY) || 1;
            zoomAt(Math.log2(apart(event) / apart(before)), other.offsetX, other.offsetY);
            travelled = Infinity;
            return;
        }
        x -= (event.offsetX - before.offsetX) / scale();
        y += (event.offsetY - before.offsetY) / scale();
        travelled += Math.hypot(event.offsetX - before.offsetX, event.offsetY - before.offsetY);
        moved();
    });
    canvas.addEventListener("pointerup", (event) => {
        const isClick = fingers.delete(event.pointerId) && travelled < 5;
        const point = isClick && nearest(event.offsetX, event.offsetY);
        if (point) location.href = recording + point.mbid;
    });
    canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => (tip.hidden = true));
    canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        zoomAt(-event.deltaY / 300, event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
        const step = 60 / scale();
        const moves = {
            ArrowLeft: () => (x -= step), ArrowRight: () => (x += step), ArrowUp: () => (y += step), ArrowDown: () => (y -= step),
            "+": () => (zoom += 0.5), "=": () => (zoom += 0.5), "-": () => (zoom -= 0.5),
        };
        if (!moves[event.key] || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        moves[event.key]();
        moved();
    });
    for (const button of element.querySelectorAll(".zoom button")) {
        button.addEventListener("click", () => zoomAt(Number(button.value)));
    }

    function hover(event) {
        const point = nearest(event.offsetX, event.offsetY);
        tip.hidden = !point;
        if (!point) return;
        tip.textContent = [point.title ?? point.mbid, point.artist].filter(Boolean).join(" · ");
        tip.style.left = `${Math.min(across(point.x) + 10, width - 120)}px`;
        tip.style.top = `${down(point.y) + 10}px`;
    }

    new ResizeObserver(() => {
        ({ clientWidth: width, clientHeight: height } = canvas);
        canvas.width = width * devicePixelRatio;
        canvas.height = height * devicePixelRatio;
        loadInView();
        draw();
    }).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
        for (const [value, name] of legend()) colours.set(value, name);
        draw();
    });
}

function numbers(text) {
    return text.split(" ").map(Number);
}
