// Made from the files beside it by `npm run inspector:page`: edit those.

export const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>reqtrack inspector</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%233b5bdb'/%3E%3Cpath d='M6 16h6m8 0h6' stroke='white' stroke-width='3' stroke-linecap='round'/%3E%3Ccircle cx='16' cy='16' r='4' fill='none' stroke='white' stroke-width='3'/%3E%3C/svg%3E">
<style>/*styles*/</style>
</head>
<body>
<header class="bar">
  <h1>
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true"><rect width="32" height="32" rx="8" class="mark"/><path d="M6 16h6m8 0h6" class="mark-line"/><circle cx="16" cy="16" r="4" class="mark-line"/></svg>
    reqtrack <span class="what">inspector</span>
  </h1>
  <p id="state" class="connection" role="status">connecting</p>
  <button id="pause" type="button">Pause</button>
</header>
<section id="totals" class="totals" aria-label="Totals"></section>
<main>
  <section class="requests" aria-labelledby="requests-title">
    <div class="requests-head">
      <h2 id="requests-title">Requests</h2>
      <p id="count" class="muted" aria-live="off"></p>
    </div>
    <search>
    <form id="filters" class="filters" aria-label="Filter the requests">
      <div><label for="user">User</label><input id="user" name="user" type="search" placeholder="any id" autocomplete="off" spellcheck="false"></div>
      <div><label for="event">Event</label><select id="event" name="event"></select></div>
      <div><label for="route">Route</label><select id="route" name="route"></select></div>
      <div><label for="outcome">Outcome</label><select id="outcome" name="outcome"></select></div>
      <button type="reset">Clear</button>
    </form>
    </search>
    <ol id="list" class="list"></ol>
    <p id="empty" class="empty"></p>
    <p class="keys muted" aria-hidden="true"><kbd>↑</kbd> <kbd>↓</kbd> move <kbd>Enter</kbd> open <kbd>Esc</kbd> close <kbd>/</kbd> filter <kbd>p</kbd> pause</p>
  </section>
  <section id="detail" class="detail" aria-label="Request" tabindex="-1"></section>
</main>
<noscript>The inspector needs JavaScript.</noscript>
<script type="module">/*script*/</script>
</body>
</html>
`

export const styles = `:root {
  --ground: #f5f6f8;
  --surface: #ffffff;
  --raised: #fafbfc;
  --text: #1b1f27;
  --muted: #59616f;
  --line: #dde1e8;
  --accent: #3b5bdb;
  --accent-soft: #eef2ff;
  --green: #17723e;
  --green-soft: #e3f4ea;
  --red: #b42318;
  --red-soft: #fdebe9;
  --amber: #8a5200;
  --amber-soft: #fdf1da;
  --blue: #2b50c8;
  --blue-soft: #e9eefd;
  --grey: #4c5462;
  --grey-soft: #eceff3;
  --shadow: 0 1px 2px rgb(16 24 40 / 6%);
  --mono:
    ui-monospace, "SFMono-Regular", "Cascadia Code", "JetBrains Mono", "DejaVu Sans Mono", Menlo, monospace;
}

@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1116;
    --surface: #161a21;
    --raised: #1b2028;
    --text: #e6e9ef;
    --muted: #9aa4b3;
    --line: #2a313c;
    --accent: #8da6ff;
    --accent-soft: #1c2541;
    --green: #5fd08c;
    --green-soft: #12301f;
    --red: #ff9388;
    --red-soft: #3b1916;
    --amber: #f2bb5c;
    --amber-soft: #33270e;
    --blue: #9db3ff;
    --blue-soft: #1b2546;
    --grey: #b3bcc9;
    --grey-soft: #262c36;
    --shadow: none;
  }
}

* {
  box-sizing: border-box;
}

body {
  margin: 0;
  background: var(--ground);
  color: var(--text);
  font:
    14px / 1.45 system-ui,
    -apple-system,
    "Segoe UI",
    Roboto,
    "Noto Sans",
    "DejaVu Sans",
    sans-serif;
  display: flex;
  flex-direction: column;
  min-height: 100vh;
}

h1,
h2,
h3,
h4,
p,
ol,
ul,
dl,
dd {
  margin: 0;
  padding: 0;
}

ol,
ul {
  list-style: none;
}

a {
  color: var(--accent);
}

code,
pre,
.method,
.path,
.sender {
  font-family: var(--mono);
}

i {
  font-style: normal;
}

:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
  border-radius: 6px;
}

.muted,
.note,
.hint,
.empty,
time {
  color: var(--muted);
}

.hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

button,
input,
select {
  font: inherit;
  color: inherit;
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 7px;
  padding: 4px 10px;
  min-height: 32px;
}

button {
  cursor: pointer;
  font-weight: 550;
}

button:hover {
  background: var(--grey-soft);
}

/* The bar above */

.bar {
  display: flex;
  align-items: center;
  gap: 14px;
  padding: 12px 20px;
  background: var(--surface);
  border-bottom: 1px solid var(--line);
}

.bar h1 {
  display: flex;
  align-items: center;
  gap: 10px;
  font-size: 16px;
  font-weight: 680;
  letter-spacing: -0.01em;
}

.bar .what {
  color: var(--muted);
  font-weight: 450;
}

.bar button {
  margin-left: auto;
  min-width: 84px;
}

.mark {
  fill: #3b5bdb;
}

.mark-line {
  fill: none;
  stroke: #ffffff;
  stroke-width: 3;
  stroke-linecap: round;
}

.connection {
  display: inline-flex;
  align-items: center;
  gap: 7px;
  padding: 2px 10px;
  border-radius: 99px;
  background: var(--grey-soft);
  color: var(--grey);
  font-size: 12.5px;
}

.connection::before {
  content: "";
  width: 8px;
  height: 8px;
  border-radius: 50%;
  background: currentColor;
}

.connection.live {
  background: var(--green-soft);
  color: var(--green);
}

.connection.paused {
  background: var(--amber-soft);
  color: var(--amber);
}

.connection.lost {
  background: var(--red-soft);
  color: var(--red);
}

/* Totals */

.totals {
  display: grid;
  grid-template-columns: repeat(4, minmax(0, 1fr));
  gap: 12px;
  padding: 14px 20px;
}

.card {
  min-width: 0;
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 12px;
  box-shadow: var(--shadow);
  padding: 12px 14px;
  display: flex;
  flex-direction: column;
  gap: 8px;
}

.card h2 {
  font-size: 12px;
  font-weight: 600;
  color: var(--muted);
}

.figure {
  font-size: 19px;
  font-weight: 640;
  letter-spacing: -0.015em;
  font-variant-numeric: tabular-nums;
}

.figure span {
  color: var(--muted);
  font-size: 12px;
  font-weight: 450;
  letter-spacing: 0;
}

.note {
  font-size: 12px;
}

svg.columns {
  width: 100%;
  height: 48px;
  display: block;
}

svg.stacked {
  width: 100%;
  height: 8px;
  display: block;
  border-radius: 4px;
}

.fill.accent,
.swatch.accent {
  fill: var(--accent);
  background: var(--accent);
}

.fill.delivered,
.swatch.delivered {
  fill: var(--green);
  background: var(--green);
}

.fill.dropped,
.swatch.dropped,
.fill.failed,
.swatch.failed {
  fill: var(--red);
  background: var(--red);
}

.fill.retrying {
  fill: var(--amber);
}

.fill.pending,
.swatch.pending {
  fill: #8a97ab;
  background: #8a97ab;
}

.fill.none {
  fill: var(--grey-soft);
}

.columns .none {
  fill: var(--line);
}

.legend {
  display: flex;
  flex-wrap: wrap;
  gap: 2px 12px;
  margin-top: 4px;
  font-size: 12px;
  color: var(--muted);
}

.legend b,
.ranked b {
  color: var(--text);
  font-variant-numeric: tabular-nums;
}

.swatch {
  display: inline-block;
  width: 8px;
  height: 8px;
  border-radius: 2px;
  margin-right: 5px;
}

.ranked {
  display: grid;
  gap: 5px;
  font-size: 12.5px;
}

.ranked li {
  display: grid;
  grid-template-columns: minmax(64px, auto) 1fr auto;
  align-items: center;
  gap: 8px;
}

.ranked svg {
  width: 100%;
  height: 6px;
}

/* Requests */

main {
  flex: 1;
  display: grid;
  grid-template-columns: minmax(360px, 5fr) 7fr;
  gap: 12px;
  padding: 0 20px 20px;
  align-items: start;
}

.requests,
.detail {
  min-width: 0;
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 12px;
  box-shadow: var(--shadow);
}

.requests-head {
  display: flex;
  align-items: baseline;
  gap: 8px;
  padding: 14px 16px 0;
}

.requests-head h2 {
  font-size: 15px;
}

.filters {
  display: grid;
  grid-template-columns: repeat(4, minmax(0, 1fr)) auto;
  align-items: end;
  gap: 8px;
  padding: 10px 16px 14px;
  border-bottom: 1px solid var(--line);
}

.filters label {
  font-size: 12px;
  color: var(--muted);
}

.filters input,
.filters select {
  display: block;
  width: 100%;
  margin-top: 3px;
  padding-inline: 8px;
  color: var(--text);
}

.list li {
  border-bottom: 1px solid var(--line);
}

.list a {
  display: block;
  padding: 9px 16px;
  color: inherit;
  text-decoration: none;
  border-left: 3px solid transparent;
}

.list a:hover {
  background: var(--raised);
}

.list a:focus-visible {
  outline-offset: -2px;
}

.list a[aria-current] {
  background: var(--accent-soft);
  border-left-color: var(--accent);
}

.line {
  display: flex;
  align-items: center;
  gap: 8px;
  min-width: 0;
}

.second {
  margin-top: 4px;
  font-size: 12.5px;
}

.method {
  font-weight: 700;
  font-size: 12.5px;
}

.path {
  flex: 1;
  min-width: 0;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
  font-size: 13px;
}

.ms {
  min-width: 52px;
  text-align: right;
  color: var(--muted);
  font-variant-numeric: tabular-nums;
  font-size: 12.5px;
}

.second time {
  margin-left: auto;
  font-variant-numeric: tabular-nums;
}

.sender {
  max-width: 9em;
  flex-shrink: 0;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
  color: var(--muted);
  font-size: 12px;
}

.chips {
  display: flex;
  flex-wrap: wrap;
  gap: 4px;
  min-width: 0;
}

.chip,
.status {
  display: inline-flex;
  align-items: center;
  gap: 5px;
  max-width: 100%;
  padding: 1px 8px;
  border-radius: 99px;
  font-size: 12px;
  font-weight: 550;
  background: var(--grey-soft);
  color: var(--grey);
  overflow-wrap: anywhere;
}

/* In the list a name has one line at most: it is whole in the request. */
.chips .chip {
  display: block;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.chips .chip i {
  margin-right: 5px;
}

.status {
  border-radius: 5px;
  font-variant-numeric: tabular-nums;
}

.chip.delivered,
.status.delivered {
  background: var(--green-soft);
  color: var(--green);
}

.chip.retrying,
.status.retrying {
  background: var(--amber-soft);
  color: var(--amber);
}

.chip.failed,
.chip.dropped,
.status.failed {
  background: var(--red-soft);
  color: var(--red);
}

.chip.pending {
  background: var(--blue-soft);
  color: var(--blue);
}

.empty {
  padding: 36px 16px;
  text-align: center;
}

.keys {
  padding: 10px 16px;
  font-size: 12px;
}

kbd {
  display: inline-block;
  margin-left: 8px;
  padding: 0 5px;
  border: 1px solid var(--line);
  border-bottom-width: 2px;
  border-radius: 4px;
  font: 11px / 1.5 var(--mono);
}

kbd + kbd,
kbd:first-child {
  margin-left: 0;
}

/* One request */

.detail {
  position: sticky;
  top: 12px;
  max-height: calc(100vh - 24px);
  overflow: auto;
  padding: 16px 18px;
}

.detail:focus-visible {
  outline-offset: -2px;
}

.hint {
  padding: 48px 0;
  text-align: center;
}

.back {
  display: none;
  margin-bottom: 10px;
}

.detail h2 {
  font-size: 17px;
  font-family: var(--mono);
  font-weight: 560;
  letter-spacing: -0.02em;
  overflow-wrap: anywhere;
}

.detail h2 .method {
  font-size: inherit;
}

.detail h3 {
  margin: 18px 0 8px;
  font-size: 13px;
  color: var(--muted);
}

.facts {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 6px 12px;
  margin-top: 8px;
  font-size: 13px;
}

.copy {
  min-height: 28px;
  padding: 2px 10px;
  font-size: 12px;
}

.facts .copy {
  margin-left: auto;
}

.who {
  display: grid;
  grid-template-columns: max-content 1fr;
  gap: 6px 14px;
  margin-top: 14px;
  padding: 12px 14px;
  border-radius: 10px;
  background: var(--raised);
  border: 1px solid var(--line);
}

.who dt {
  color: var(--muted);
}

.who dd {
  min-width: 0;
  overflow-wrap: anywhere;
}

.reader {
  margin-left: 8px;
  color: var(--muted);
  font-size: 12.5px;
}

.choices {
  display: flex;
  flex-wrap: wrap;
  gap: 6px;
}

.choice {
  display: inline-flex;
  align-items: baseline;
  gap: 5px;
  padding: 1px 9px;
  border-radius: 7px;
  border: 1px solid var(--line);
  background: var(--surface);
  font-size: 13px;
}

.choice.granted i {
  color: var(--green);
}

.choice.refused i {
  color: var(--red);
}

.choice .reader {
  margin-left: 0;
}

.own-who {
  margin-top: 12px;
}

.own-who .who {
  margin-top: 6px;
}

.event {
  container-type: inline-size;
  margin-bottom: 14px;
  padding: 14px;
  border: 1px solid var(--line);
  border-radius: 12px;
}

.event header {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 10px;
}

.event h4 {
  font-size: 15px;
  overflow-wrap: anywhere;
}

.event header time {
  margin-left: auto;
  font-size: 12.5px;
}

.way {
  display: flex;
  margin: 16px 0 4px;
}

.way li {
  position: relative;
  flex: 1 1 0;
  min-width: 0;
  padding: 0 3px;
  display: flex;
  flex-direction: column;
  align-items: center;
  text-align: center;
}

/* The longest word of all. */
.way li.deduplication {
  flex-grow: 1.4;
}

/* Half of a line to each side: it has the colour of the step that it leads to. */
.way li + li::before,
.way li:not(:last-child)::after {
  content: "";
  position: absolute;
  top: 12px;
  height: 2px;
  background: var(--green);
  opacity: 0.55;
}

.way li + li::before {
  left: 0;
  right: calc(50% + 16px);
}

.way li:not(:last-child)::after {
  left: calc(50% + 16px);
  right: 0;
}

.way li.unreached::before,
.way li:has(+ .unreached)::after {
  background: var(--line);
  opacity: 1;
}

.dot {
  display: grid;
  place-items: center;
  width: 26px;
  height: 26px;
  border-radius: 50%;
  border: 2px solid var(--line);
  background: var(--surface);
  font-size: 13px;
  font-weight: 700;
  line-height: 1;
}

.way > .passed > .dot {
  border-color: transparent;
  background: var(--green-soft);
  color: var(--green);
}

.way > .stopped > .dot {
  border-color: var(--red);
  background: var(--red);
  color: var(--surface);
}

.way > .retrying > .dot {
  border-color: var(--amber);
  background: var(--amber-soft);
  color: var(--amber);
}

.way > .waiting > .dot {
  border-color: var(--blue);
  background: var(--blue-soft);
  color: var(--blue);
}

.stage {
  margin-top: 6px;
  font-size: 11.5px;
  font-weight: 600;
  white-space: nowrap;
}

.way > .unreached > .stage {
  color: var(--muted);
  font-weight: 450;
}

.way > .stopped > .stage {
  color: var(--red);
}

.stage-note {
  max-width: 100%;
  font-size: 11.5px;
  color: var(--muted);
  overflow-wrap: anywhere;
}

.reason {
  margin-top: 12px;
  padding: 9px 12px;
  border-radius: 8px;
  border-left: 3px solid currentColor;
  background: var(--grey-soft);
  color: var(--grey);
  overflow-wrap: anywhere;
}

.reason.dropped,
.reason.failed {
  background: var(--red-soft);
  color: var(--red);
}

.reason code {
  font-size: 0.93em;
  font-weight: 600;
}

.fold {
  margin-top: 10px;
  border: 1px solid var(--line);
  border-radius: 9px;
  background: var(--raised);
}

.fold > :not(summary) {
  margin: 0 12px 10px;
}

.fold summary {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 4px 8px;
  padding: 8px 12px;
  cursor: pointer;
  border-radius: 9px;
}

.fold summary::before {
  content: "›";
  width: 10px;
  font-size: 17px;
  line-height: 1;
  color: var(--muted);
}

.fold[open] > summary::before {
  transform: rotate(90deg);
}

.fold summary::-webkit-details-marker {
  display: none;
}

.fold .type {
  padding: 1px 7px;
  border-radius: 5px;
  background: var(--accent-soft);
  color: var(--accent);
  font-size: 12.5px;
}

.call-name {
  flex: 1 1 auto;
  font-weight: 560;
  overflow-wrap: anywhere;
}

.batches {
  display: grid;
  gap: 5px;
  font-size: 12.5px;
  color: var(--muted);
}

.batches li {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 4px 8px;
}

.json {
  position: relative;
}

.json pre {
  margin: 0;
  max-height: 340px;
  overflow: auto;
  padding: 10px 12px;
  border: 1px solid var(--line);
  border-radius: 8px;
  background: var(--surface);
  font-size: 12.5px;
  line-height: 1.5;
  tab-size: 2;
}

.json .copy {
  position: absolute;
  top: 7px;
  right: 12px;
}

.json-key {
  color: var(--accent);
}

.json-string {
  color: var(--green);
}

.json-number,
.json-word {
  color: var(--amber);
}

@media (max-width: 1180px) {
  .totals {
    grid-template-columns: repeat(2, minmax(0, 1fr));
  }

  .filters {
    grid-template-columns: repeat(2, minmax(0, 1fr));
  }

  .filters button {
    grid-column: 1 / -1;
    justify-self: start;
  }
}

@media (max-width: 900px) {
  .bar,
  .totals {
    padding-inline: 12px;
  }

  main {
    display: block;
    padding: 0 12px 16px;
  }

  .detail {
    display: none;
    position: static;
    max-height: none;
    padding: 14px;
  }

  .opened .detail,
  .back {
    display: block;
  }

  .opened .requests,
  .opened .totals,
  .keys {
    display: none;
  }

  .opened main {
    padding-top: 12px;
  }
}

@media (max-width: 640px) {
  .bar {
    gap: 10px;
  }

  .bar h1 {
    gap: 7px;
    font-size: 15px;
  }

  .bar button {
    min-width: 0;
  }

  .choice {
    flex-wrap: wrap;
    row-gap: 0;
  }

  .choice b {
    overflow-wrap: normal;
  }

  .facts .copy {
    margin-left: 0;
  }

  .sender {
    max-width: 6em;
  }

  .totals {
    gap: 8px;
  }

  .card {
    padding: 10px;
  }

  .figure {
    font-size: 15px;
  }

  .figure span {
    display: block;
  }
}

/* Below each other where there is no room beside each other, so that every step keeps its words. */
@container (max-width: 600px) {
  .way {
    flex-direction: column;
    gap: 10px;
  }

  .way li {
    flex-direction: row;
    align-items: center;
    gap: 10px;
    text-align: left;
  }

  .way li + li::before {
    top: -10px;
    left: 15px;
    right: auto;
    width: 2px;
    height: calc(50% - 3px);
  }

  .way li:not(:last-child)::after {
    top: calc(50% + 13px);
    right: auto;
    bottom: 0;
    left: 15px;
    width: 2px;
    height: auto;
  }

  .dot {
    flex: none;
  }

  .stage {
    margin: 0;
  }
}
`

export const script = `(function() {


//#region src/inspector/page/client/dom.ts
/** Makes an element. \`class\` and other attributes by their names; \`undefined\` leaves one out. */
	function h(tag, attributes = {}, ...children) {
		const element = document.createElement(tag);
		fill(element, attributes, children);
		return element;
	}
	/** Makes an element of SVG. */
	function s(tag, attributes = {}, ...children) {
		const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
		fill(element, attributes, children);
		return element;
	}
	/** The element of the page with an id. */
	function byId(id) {
		const element = document.getElementById(id);
		if (!element) throw new Error(\`the page has no #\${id}\`);
		return element;
	}
	/** Text in which \`code\` stands between backticks. */
	function prose(text) {
		return text.split("\`").map((part, index) => index % 2 === 1 ? h("code", {}, part) : document.createTextNode(part));
	}
	function fill(element, attributes, children) {
		for (const [name, value] of Object.entries(attributes)) if (value !== void 0) element.setAttribute(name, value);
		element.append(...children.filter((child) => child !== void 0 && child !== false));
	}

//#endregion
//#region src/inspector/page/client/json.ts
	const TOKEN = /("(?:[^"\\\\]|\\\\.)*")(\\s*:)?|\\b(true|false|null)\\b|(-?\\d[\\d.eE+-]*)/g;
	/** JSON in colours, with a button that copies it. */
	function jsonBlock(text, label) {
		const code = h("code");
		let from = 0;
		for (const match of text.matchAll(TOKEN)) {
			const [token, string, colon, word] = match;
			code.append(text.slice(from, match.index));
			const kind = string === void 0 ? word === void 0 ? "number" : "word" : colon ? "key" : "string";
			code.append(h("span", { class: \`json-\${kind}\` }, string ?? token), colon ?? "");
			from = match.index + token.length;
		}
		code.append(text.slice(from));
		const block = h("pre", {
			tabindex: "0",
			role: "region",
			"aria-label": label
		}, code);
		return h("div", { class: "json" }, copyButton("Copy", () => text, block), block);
	}
	/** A button that copies what it is given, and says so. */
	function copyButton(label, text, shown) {
		const button = h("button", {
			type: "button",
			class: "copy"
		}, label);
		button.addEventListener("click", async () => {
			button.textContent = await copy(text(), shown) ? "Copied" : "Press Ctrl+C";
			setTimeout(() => {
				button.textContent = label;
			}, 1500);
		});
		return button;
	}
	/** Browsers give the clipboard to secure origins only; elsewhere what is shown is selected. */
	async function copy(text, shown) {
		try {
			await navigator.clipboard.writeText(text);
			return true;
		} catch {
			if (shown) getSelection()?.selectAllChildren(shown);
			return false;
		}
	}

//#endregion
//#region src/inspector/page/client/words.ts
/** What an event's state is called. */
	const STATES = {
		delivered: "delivered",
		pending: "pending",
		retrying: "retrying",
		failed: "failed",
		dropped: "dropped",
		known: "known already",
		open: "open"
	};
	/** A sign for each state, so that no state is told by its colour alone. */
	const SIGNS = {
		delivered: "✓",
		passed: "✓",
		known: "=",
		pending: "…",
		waiting: "…",
		open: "…",
		retrying: "↻",
		failed: "✕",
		dropped: "✕",
		stopped: "✕",
		unreached: ""
	};
	const STAGES = {
		tracked: "Tracked",
		consent: "Consent",
		mapping: "Mapping",
		identity: "Identity",
		deduplication: "De-duplication",
		calls: "Calls",
		delivery: "Delivery"
	};
	const time = new Intl.DateTimeFormat(void 0, {
		hour: "2-digit",
		minute: "2-digit",
		second: "2-digit",
		hour12: false
	});
	/** The time of day. */
	function clock(at) {
		return time.format(at);
	}
	/** A duration, as precise as it is of use. */
	function duration(ms) {
		if (ms >= 1e4) return \`\${Math.round(ms / 1e3)} s\`;
		if (ms >= 1e3) return \`\${(ms / 1e3).toFixed(1)} s\`;
		return \`\${ms >= 10 ? Math.round(ms) : ms.toFixed(1)} ms\`;
	}
	/** A count with what is counted. */
	function counted(count, one, many = \`\${one}s\`) {
		return \`\${count.toLocaleString("en")} \${count === 1 ? one : many}\`;
	}

//#endregion
//#region src/inspector/page/client/list.ts
/** The list of requests, the latest first. */
	var RequestList = class {
		#list = byId("list");
		#empty = byId("empty");
		#count = byId("count");
		#requests = /* @__PURE__ */ new Map();
		#current;
		/** Begins anew. */
		clear() {
			this.#requests.clear();
			this.#list.replaceChildren();
		}
		/** Takes in requests that are new or have changed, and lets go of the oldest beyond what the server keeps. */
		update(summaries, capacity) {
			for (const summary of [...summaries].sort((a, b) => a.at - b.at)) this.#put(summary);
			for (const [number, { row }] of this.#requests) {
				if (this.#requests.size <= capacity) break;
				this.#requests.delete(number);
				row.remove();
			}
		}
		/** All requests that are listed. */
		all() {
			return [...this.#requests.values()].map(({ summary }) => summary);
		}
		/** Shows what the filters let through. */
		filter(filters) {
			let shown = 0;
			for (const { summary, row } of this.#requests.values()) {
				row.hidden = !filters.shows(summary);
				if (!row.hidden) shown++;
			}
			const { size } = this.#requests;
			this.#count.textContent = shown === size ? \`\${size}\` : \`\${shown} of \${size}\`;
			this.#empty.hidden = shown > 0;
			this.#empty.textContent = size > 0 ? "No request is like that." : "No request yet. Send one to the application: it appears here as it ends.";
		}
		/** Marks the request that is open. */
		mark(number) {
			if (this.#current !== void 0) this.#requests.get(this.#current)?.link.removeAttribute("aria-current");
			this.#current = number;
			if (number !== void 0) this.#requests.get(number)?.link.setAttribute("aria-current", "true");
		}
		/** Moves the focus up or down the list. */
		move(by) {
			const links = [...this.#list.querySelectorAll("li:not([hidden]) > a")];
			const focused = links.findIndex((link) => link.matches(":focus"));
			const marked = links.findIndex((link) => link.hasAttribute("aria-current"));
			const from = focused >= 0 ? focused : marked;
			links[from < 0 ? 0 : Math.min(links.length - 1, Math.max(0, from + by))]?.focus();
		}
		/** Puts the focus on a request. */
		focus(number) {
			this.#requests.get(number)?.link.focus();
		}
		#put(summary) {
			const { number } = summary;
			const known = this.#requests.get(number);
			if (known) {
				known.summary = summary;
				known.link.replaceChildren(...contentOf(summary));
				return;
			}
			const link = h("a", { href: \`#\${number}\` }, ...contentOf(summary));
			if (number === this.#current) link.setAttribute("aria-current", "true");
			const row = h("li", {}, link);
			this.#requests.set(number, {
				summary,
				row,
				link
			});
			this.#list.prepend(row);
		}
	};
	function contentOf(summary) {
		const { method, path, status, durationMs, at, userId, anonymousId, events, more } = summary;
		const chips = events.map(({ name, state }) => h("span", {
			class: \`chip \${state}\`,
			title: STATES[state]
		}, h("i", { "aria-hidden": "true" }, SIGNS[state]), name, h("span", { class: "hidden" }, \` (\${STATES[state]})\`)));
		if (more > 0) chips.push(h("span", { class: "chip open" }, \`\${more} more\`));
		return [h("span", { class: "line" }, h("span", { class: "method" }, method), h("span", { class: "path" }, path), statusBadge(status), h("span", { class: "ms" }, duration(durationMs))), h("span", { class: "line second" }, h("span", { class: "sender" }, userId ?? anonymousId ?? "nobody known"), h("span", { class: "chips" }, ...chips.length > 0 ? chips : [h("span", { class: "muted" }, "no events")]), h("time", {}, clock(at)))];
	}
	/** A response's status; \`aborted\` where there was none. */
	function statusBadge(status) {
		return h("span", { class: \`status \${status === void 0 || status >= 500 ? "failed" : status >= 400 ? "retrying" : "delivered"}\` }, status === void 0 ? "aborted" : \`\${status}\`);
	}
	/** How many events a request has, in words. */
	function eventCount({ events, more }) {
		return counted(events.length + more, "event");
	}

//#endregion
//#region src/inspector/page/client/detail.ts
/** So many of the calls that shared a batch are named. */
	const MAX_OTHERS = 8;
	/** Shows one request with its events, and remembers what of it was unfolded. */
	var Detail = class {
		#element = byId("detail");
		/** What the viewer has folded or unfolded otherwise than it comes. */
		#folds = /* @__PURE__ */ new Map();
		#shown = "";
		/** Shows a request, unless exactly that is shown already. */
		show(view) {
			const text = JSON.stringify(view);
			if (text === this.#shown) return;
			this.#shown = text;
			const { summary, who, events } = view;
			this.#element.replaceChildren(h("div", { class: "detail-head" }, h("a", {
				href: "#",
				class: "back"
			}, "← All requests"), h("h2", {}, h("span", { class: "method" }, summary.method), " ", summary.path), h("p", { class: "facts" }, statusBadge(summary.status), h("span", {}, duration(summary.durationMs)), h("time", {}, clock(summary.at)), h("span", { class: "muted" }, summary.route === void 0 ? "no route" : \`route \${summary.route}\`), copyButton("Copy link", () => location.href))), who ? whoList(who) : h("p", { class: "muted" }, "Who sent it is being read."), h("h3", {}, eventCount(summary)), ...events.length > 0 ? events.map((event, index) => this.#event(event, \`\${summary.number}/\${index}\`, who)) : [h("p", { class: "muted" }, "Its handler tracked nothing.")]);
		}
		/** Says that a request is not there. */
		showMissing(number, capacity) {
			this.#shown = "";
			this.#element.replaceChildren(h("a", {
				href: "#",
				class: "back"
			}, "← All requests"), h("h2", {}, \`Request \${number}\`), h("p", {}, \`It is not kept: the server keeps the last \${counted(capacity, "request")}, and forgets them when it ends.\`));
		}
		/** Shows no request. */
		clear() {
			this.#shown = "";
			this.#element.replaceChildren(h("p", { class: "hint" }, "Choose a request to see what became of its events."));
		}
		/** Puts the focus here. */
		focus() {
			this.#element.focus({ preventScroll: true });
			this.#element.scrollTop = 0;
		}
		#event(event, key, sender) {
			const { name, at, state, reason, stages, who, calls, json } = event;
			const differs = who && JSON.stringify(who) !== JSON.stringify(sender);
			return h("article", { class: \`event \${state}\` }, h("header", {}, h("h4", {}, name), h("span", { class: \`chip \${state}\` }, h("i", { "aria-hidden": "true" }, SIGNS[state]), STATES[state]), h("time", {}, clock(at))), way(stages), reason !== void 0 && h("p", { class: \`reason \${state}\` }, ...prose(capital(reason))), differs && h("div", { class: "own-who" }, h("p", { class: "muted" }, "This event’s own sender:"), whoList(who)), ...calls.map((call, index) => this.#call(call, \`\${key}/\${index}\`)), json !== void 0 && this.#fold(\`\${key}/event\`, false, h("summary", {}, "walkerOS event"), jsonBlock(json, \`The event \${name}\`)));
		}
		#call(call, key) {
			const { label, state, reason, json, batches } = call;
			const [type = "", ...rest] = label.split(" ");
			const summary = h("summary", {}, h("code", { class: "type" }, type), h("span", { class: "call-name" }, rest.join(" ")), h("span", { class: \`chip \${state}\` }, h("i", { "aria-hidden": "true" }, SIGNS[state]), STATES[state]));
			return this.#fold(key, true, summary, reason !== void 0 && h("p", { class: "reason failed" }, capital(reason)), batchList(batches, state), jsonBlock(json, \`The call \${label}\`));
		}
		#fold(key, open, summary, ...children) {
			const details = h("details", { class: "fold" }, summary, ...children);
			details.open = this.#folds.get(key) ?? open;
			details.addEventListener("toggle", () => this.#folds.set(key, details.open));
			return details;
		}
	};
	function way(stages) {
		return h("ol", {
			class: "way",
			"aria-label": "The event’s way"
		}, ...stages.map(({ name, state, note }) => h("li", { class: \`\${name} \${state}\` }, h("i", {
			class: "dot",
			"aria-hidden": "true"
		}, SIGNS[state]), h("span", { class: "stage" }, STAGES[name]), h("span", { class: "hidden" }, \`: \${state === "unreached" ? "not reached" : state}\`), h("span", { class: "stage-note" }, note))));
	}
	function batchList(batches, state) {
		if (batches.length === 0) return h("p", { class: "muted" }, state === "pending" ? "Waits for its batch." : "It was in no batch that was seen.");
		return h("ol", { class: "batches" }, ...batches.map(({ at, durationMs, answer, ok, size, others }) => h("li", {}, h("span", { class: \`status \${ok ? "delivered" : "failed"}\` }, answer), h("span", {}, \`batch of \${counted(size, "call")}, \${duration(durationMs)}, \${clock(at)}\`), others.length > 0 && otherCalls(others))));
	}
	function otherCalls(others) {
		const links = others.slice(0, MAX_OTHERS).flatMap(({ request, label }, index) => [index === 0 ? "with " : ", ", h("a", { href: \`#\${request}\` }, label)]);
		const rest = others.length - MAX_OTHERS;
		return h("span", { class: "others" }, ...links, rest > 0 && \` and \${rest} more\`);
	}
	function whoList({ userId, anonymousId, consent }) {
		return h("dl", { class: "who" }, h("dt", {}, "User"), h("dd", {}, ...sourced(userId, "no userId")), h("dt", {}, "Visitor"), h("dd", {}, ...sourced(anonymousId, "no anonymousId")), h("dt", {}, "Consent"), h("dd", { class: "choices" }, ...consent.length > 0 ? consent.map(({ key, value, reader }) => h("span", { class: \`choice \${value ? "granted" : "refused"}\` }, h("i", { "aria-hidden": "true" }, value ? "✓" : "✕"), h("b", {}, key), h("span", { class: "hidden" }, value ? " granted" : " refused"), h("span", { class: "reader" }, \` \${reader ?? ""}\`))) : [h("span", { class: "muted" }, "no choice is known, and unknown is not granted")]));
	}
	function sourced(id, none) {
		if (!id) return [h("span", { class: "muted" }, none)];
		return [h("code", {}, id.value), h("span", { class: "reader" }, \`by \${id.reader ?? "nobody"}\`)];
	}
	function capital(text) {
		return text.charAt(0).toUpperCase() + text.slice(1);
	}

//#endregion
//#region src/inspector/page/client/filters.ts
	const NO_EVENTS = "none";
	/** Which requests are to be seen. */
	var Filters = class {
		#form;
		/** @param changed - Called when what is to be seen has changed. */
		constructor(changed) {
			const form = byId("filters");
			if (!(form instanceof HTMLFormElement)) throw new Error("#filters is no form");
			this.#form = form;
			fillSelect(this.#select("outcome"), [...Object.entries(STATES), [NO_EVENTS, "no events"]]);
			this.offer([]);
			form.addEventListener("input", changed);
			form.addEventListener("submit", (event) => event.preventDefault());
			form.addEventListener("reset", () => setTimeout(changed));
		}
		/** Offers the events and routes of these requests to choose from. */
		offer(requests) {
			const events = new Set(requests.flatMap((request) => request.events.map(({ name }) => name)));
			const routes = new Set(requests.map(routeOf));
			fillSelect(this.#select("event"), pairs(events));
			fillSelect(this.#select("route"), pairs(routes));
		}
		/** Whether a request is to be seen. */
		shows(request) {
			const fields = new FormData(this.#form);
			const chosen = (name) => String(fields.get(name) ?? "");
			const user = chosen("user").trim().toLowerCase();
			const event = chosen("event");
			const route = chosen("route");
			const outcome = chosen("outcome");
			const { userId = "", anonymousId = "", events } = request;
			return \`\${userId}\\n\${anonymousId}\`.toLowerCase().includes(user) && (route === "" || routeOf(request) === route) && (outcome === NO_EVENTS ? events.length === 0 && event === "" : event === "" && outcome === "" || events.some(({ name, state }) => (event === "" || name === event) && isOutcome(state, outcome)));
		}
		/** Puts the cursor into the first field. */
		focus() {
			this.#form.querySelector("input")?.focus();
		}
		#select(name) {
			const field = this.#form.elements.namedItem(name);
			if (!(field instanceof HTMLSelectElement)) throw new Error(\`the form has no select \${name}\`);
			return field;
		}
	};
	function isOutcome(state, outcome) {
		return outcome === "" || state === outcome;
	}
	function routeOf({ method, route, path }) {
		return \`\${method} \${route ?? path}\`;
	}
	function pairs(values) {
		return [...values].sort().map((value) => [value, value]);
	}
	/** Sets a select's options, unless they are the same; what was chosen stays. */
	function fillSelect(select, options) {
		const all = [["", "any"], ...options];
		const known = [...select.options].map(({ value }) => value);
		if (known.length === all.length && all.every(([value], index) => known[index] === value)) return;
		const chosen = select.value;
		select.replaceChildren(...all.map(([value, label]) => h("option", { value }, label)));
		select.value = all.some(([value]) => value === chosen) ? chosen : "";
	}

//#endregion
//#region src/inspector/page/client/charts.ts
	const WIDTH = 300;
	const HEIGHT = 48;
	/**
	* Columns side by side, each of parts on top of each other.
	*
	* @param label - What the chart shows, for those who do not see it.
	*/
	function columns(label, stacks) {
		const highest = Math.max(1, ...stacks.map(sum$1));
		const step = WIDTH / Math.max(1, stacks.length);
		const chart = s("svg", {
			viewBox: \`0 0 \${WIDTH} \${HEIGHT}\`,
			class: "columns",
			role: "img",
			"aria-label": label,
			preserveAspectRatio: "none"
		});
		for (const [index, parts] of stacks.entries()) {
			let top = HEIGHT;
			const add = (height, tone) => {
				top -= height;
				const place = {
					x: \`\${index * step + 1}\`,
					y: \`\${top}\`,
					width: \`\${step - 2}\`,
					height: \`\${height}\`,
					rx: "1.5"
				};
				chart.append(s("rect", {
					...place,
					class: \`fill \${tone}\`
				}));
			};
			if (sum$1(parts) === 0) add(2, "none");
			for (const { value, tone } of parts) if (value > 0) add(Math.max(3, value / highest * HEIGHT), tone);
		}
		return chart;
	}
	/** One bar of parts beside each other, with a legend. */
	function stackedBar(label, parts) {
		const total = sum$1(parts);
		const chart = s("svg", {
			viewBox: \`0 0 \${WIDTH} 8\`,
			class: "stacked",
			"aria-hidden": "true",
			preserveAspectRatio: "none"
		});
		chart.append(s("rect", {
			width: \`\${WIDTH}\`,
			height: "8",
			class: "fill none"
		}));
		let left = 0;
		for (const { value, tone } of parts) {
			const width = total === 0 ? 0 : value / total * WIDTH;
			chart.append(s("rect", {
				x: \`\${left}\`,
				width: \`\${width}\`,
				height: "8",
				class: \`fill \${tone}\`
			}));
			left += width;
		}
		const legend = h("ul", { class: "legend" });
		for (const { label: name, value, tone } of parts) legend.append(h("li", {}, h("i", { class: \`swatch \${tone}\` }), \`\${name} \`, h("b", {}, value.toLocaleString("en"))));
		return h("div", {
			role: "group",
			"aria-label": label
		}, chart, legend);
	}
	/** Bars one below the other, the longest first. */
	function rankedBars(parts) {
		const sorted = parts.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
		const highest = sorted[0]?.value ?? 1;
		const list = h("ul", { class: "ranked" });
		for (const { label, value, tone } of sorted) {
			const chart = s("svg", {
				viewBox: "0 0 100 6",
				preserveAspectRatio: "none",
				"aria-hidden": "true"
			});
			chart.append(s("rect", {
				width: \`\${value / highest * 100}\`,
				height: "6",
				rx: "1",
				class: \`fill \${tone}\`
			}));
			list.append(h("li", {}, h("span", {}, label), chart, h("b", {}, value.toLocaleString("en"))));
		}
		return list;
	}
	function sum$1(parts) {
		return parts.reduce((total, { value }) => total + value, 0);
	}

//#endregion
//#region src/inspector/page/client/totals.ts
/** Shows the books. */
	function showTotals({ events, calls, requests, health, minutes }) {
		const now = minutes.at(-1);
		const dropped = sum(events.dropped);
		const failed = sum(calls.failed);
		const reasons = [...Object.entries(events.dropped).map(([label, value]) => ({
			label,
			value,
			tone: "dropped"
		})), ...Object.entries(calls.failed).map(([reason, value]) => ({
			label: \`failed: \${reason}\`,
			value,
			tone: "failed"
		}))];
		byId("totals").replaceChildren(card("Events a minute", thisMinute(now?.tracked ?? 0, "event"), columns(\`Events tracked in each of the last \${minutes.length} minutes\`, minutes.map((minute) => [{
			label: "dispatched",
			value: Math.max(0, minute.tracked - minute.dropped),
			tone: "accent"
		}, {
			label: "dropped",
			value: minute.dropped,
			tone: "dropped"
		}])), note(\`each bar is one of the last \${minutes.length} minutes\`)), card("Deliveries a minute", thisMinute(now?.delivered ?? 0, "call"), columns(\`Calls delivered, failed and tried again in each of the last \${minutes.length} minutes\`, minutes.map((minute) => [
			{
				label: "delivered",
				value: minute.delivered,
				tone: "delivered"
			},
			{
				label: "retries",
				value: minute.retries,
				tone: "retrying"
			},
			{
				label: "failed",
				value: minute.failed,
				tone: "failed"
			}
		])), note(\`\${counted(requests.sent, "request")} to Segment, \${requests.unsuccessful} unsuccessful · delivery: \${health}\`)), card("Ledger", [\`\${counted(events.tracked, "event")}, \${counted(calls.made, "call")}\`], stackedBar("Events", [
			{
				label: "dispatched",
				value: events.dispatched,
				tone: "accent"
			},
			{
				label: "open",
				value: events.open,
				tone: "pending"
			},
			{
				label: "dropped",
				value: dropped,
				tone: "dropped"
			}
		]), stackedBar("Calls", [
			{
				label: "delivered",
				value: calls.delivered,
				tone: "delivered"
			},
			{
				label: "pending",
				value: calls.pending,
				tone: "pending"
			},
			{
				label: "failed",
				value: failed,
				tone: "failed"
			}
		])), card("Dropped, by reason", [counted(dropped, "event")], dropped + failed > 0 ? rankedBars(reasons) : note("Nothing was dropped."), calls.deduplicated > 0 && note(\`\${counted(calls.deduplicated, "call")} spared: Segment knew the same already.\`)));
	}
	function card(title, figure, ...children) {
		return h("div", { class: "card" }, h("h2", {}, title), h("p", { class: "figure" }, ...figure), ...children);
	}
	/** What one of the minutes came to: the last one, which is not over yet. */
	function thisMinute(count, one) {
		return [counted(count, one), h("span", {}, " this minute")];
	}
	function note(text) {
		return h("p", { class: "note" }, text);
	}
	function sum(counts) {
		return Object.values(counts).reduce((total, count) => total + count, 0);
	}

//#endregion
//#region src/inspector/page/client/main.ts
	const base = location.pathname.replace(/\\/?$/, "/");
	const list = new RequestList();
	const detail = new Detail();
	const filters = new Filters(() => list.filter(filters));
	const pause = byId("pause");
	const state = byId("state");
	let capacity = 0;
	let connected = false;
	/** Whether the next message is everything that is kept, rather than what has changed. */
	let begins = true;
	/** What has come since the page was paused; \`undefined\` while it is not. */
	let held;
	let heldUpdate;
	/** Whether what is listed is of an earlier connection. */
	let isStale = false;
	function connect() {
		const stream = new EventSource(\`\${base}stream\`);
		stream.onopen = () => {
			begins = true;
			connected = true;
			showState();
		};
		stream.onmessage = ({ data }) => {
			const update = JSON.parse(data);
			if (begins) begin();
			take(update);
			if (begins) show();
			begins = false;
		};
		stream.onerror = () => {
			connected = false;
			showState();
			if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 2e3);
		};
	}
	/** The server may be another than before: what it kept is gone. */
	function begin() {
		held?.clear();
		if (held) isStale = true;
		else list.clear();
	}
	function take(update) {
		if (held) {
			for (const summary of update.requests) held.set(summary.number, summary);
			heldUpdate = update;
			showState();
			return;
		}
		capacity = update.capacity;
		list.update(update.requests, capacity);
		filters.offer(list.all());
		list.filter(filters);
		showTotals(update.totals);
		const open = openNumber();
		if (open !== void 0 && update.requests.some(({ number }) => number === open)) load(open);
	}
	function openNumber() {
		const number = /^#(\\d{1,15})$/.exec(location.hash)?.[1];
		return number === void 0 ? void 0 : Number(number);
	}
	/** Goes to what the address says. */
	async function navigate() {
		await show();
		if (openNumber() === void 0 || document.activeElement?.closest("#list") && !isNarrow()) return;
		detail.focus();
	}
	/** Shows what the address says: one request, or none. */
	async function show() {
		const number = openNumber();
		document.body.classList.toggle("opened", number !== void 0);
		list.mark(number);
		if (number === void 0) return detail.clear();
		await load(number);
	}
	async function load(number) {
		const response = await fetch(\`\${base}api/requests/\${number}\`).catch(() => void 0);
		if (number !== openNumber()) return;
		if (response?.ok) {
			const view = await response.json();
			detail.show(view);
		} else if (response?.status === 404) detail.showMissing(number, capacity);
	}
	function isNarrow() {
		return matchMedia("(max-width: 900px)").matches;
	}
	function showState() {
		const waiting = held && held.size > 0 ? \` (\${held.size} new)\` : "";
		pause.textContent = held ? \`Resume\${waiting}\` : "Pause";
		const text = !connected ? "disconnected, trying again" : held ? "paused" : "live";
		state.className = \`connection \${connected ? held ? "paused" : "live" : "lost"}\`;
		if (state.textContent !== text) state.textContent = text;
	}
	function togglePause() {
		if (held) {
			const missed = [...held.values()];
			held = void 0;
			if (isStale) list.clear();
			isStale = false;
			if (heldUpdate) take({
				...heldUpdate,
				requests: missed
			});
			heldUpdate = void 0;
		} else held = /* @__PURE__ */ new Map();
		showState();
	}
	function close() {
		const number = openNumber();
		if (number === void 0) return;
		history.pushState(void 0, "", location.pathname + location.search);
		navigate();
		list.focus(number);
	}
	function pressed(event) {
		if (event.ctrlKey || event.metaKey || event.altKey) return;
		if (event.key === "Escape") return close();
		const { target } = event;
		if (target instanceof HTMLElement && target.closest("input, select, textarea")) return;
		const action = {
			ArrowDown: () => list.move(1),
			ArrowUp: () => list.move(-1),
			j: () => list.move(1),
			k: () => list.move(-1),
			p: togglePause,
			"/": () => filters.focus()
		}[event.key];
		if (!action) return;
		if (event.key.startsWith("Arrow") && target instanceof Element && target.closest("#detail")) return;
		event.preventDefault();
		action();
	}
	pause.addEventListener("click", togglePause);
	addEventListener("keydown", pressed);
	addEventListener("hashchange", () => void navigate());
	list.filter(filters);
	connect();

//#endregion
})();`
