"""How the report looks: one style sheet, of system fonts and a palette that people who see colours otherwise can tell
apart (after Okabe and Ito, darkened on light and lightened on dark ground until text on it has contrast 4.5).

Knows class names of `svg`, `plots`, `scatter` and `tables`; nothing is loaded from anywhere.
"""

_LIGHT = """
--paper: #fdfcfa; --raised: #f4f2ed; --ink: #1d1b18; --soft: #5b574f; --hair: #d9d5cc; --line: #8b857a;
--accent: #00609c; --accent-soft: #00609c26; --bar: #8dbbd9; --other: #a34700; --focus: #00609c;
--answer: #3d8fc4; --hedge: #7cc4b4; --evasive: #e6b84a; --refusal: #d06a3c; --broken: #a9a59d; --wrong: #b384b5;
"""
_DARK = """
--paper: #16181b; --raised: #1f2226; --ink: #ebe8e2; --soft: #aeaaa2; --hair: #363a40; --line: #7d8189;
--accent: #74b9ec; --accent-soft: #74b9ec33; --bar: #3a6a8f; --other: #f0a35e; --focus: #9dd0f5;
--answer: #2d6f9e; --hedge: #2f7f6f; --evasive: #8f6c14; --refusal: #a34a22; --broken: #62656b; --wrong: #7d5480;
"""

_PAGE = """
* { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: var(--ink);
  background: var(--paper); -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; overflow-wrap: break-word; }
main { max-width: 72rem; margin: 0 auto; padding: clamp(1.25rem, 4vw, 4rem) clamp(1rem, 4vw, 3rem) 6rem; outline: 0; }
h1, h2, h3 { font-family: ui-serif, Charter, "Iowan Old Style", Georgia, "Noto Serif", serif; font-weight: 600;
  line-height: 1.2; text-wrap: balance; margin: 0; }
h1 { font-size: clamp(2rem, 6vw, 3.25rem); letter-spacing: -0.015em; max-width: 22ch; }
h2 { font-size: clamp(1.5rem, 4vw, 2rem); letter-spacing: -0.01em; }
h3 { font-size: 1.25rem; }
p, ul, dl { max-width: 68ch; margin: 0.75rem 0; }
ul { padding-left: 1.2rem; } li { margin: 0.25rem 0; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 0.15em; overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 3px; border-radius: 2px; }
section { margin-top: 4.5rem; padding-top: 1.5rem; border-top: 2px solid var(--ink); }
article { margin-top: 3rem; }
.card { border-top: 1px solid var(--line); padding-top: 1.5rem; }
.card > h3 { font-size: 1.5rem; }
.byline, .small, .names { color: var(--soft); font-size: 0.9rem; }
.byline { margin-top: 1rem; }
.names { max-width: 80ch; }
.lead { font-size: 1.125rem; color: var(--soft); text-wrap: pretty; }
.withheld { font-weight: 600; }
aside { background: var(--raised); border-left: 4px solid var(--accent); padding: 1rem 1.25rem; margin: 2rem 0 0;
  max-width: 74ch; }
aside h2, nav h2 { font: 600 0.8rem/1.4 system-ui, sans-serif; letter-spacing: 0.08em; text-transform: uppercase;
  color: var(--soft); }
aside ul { margin: 0.5rem 0 0; }
nav { margin-top: 2.5rem; }
nav ul { list-style: none; padding: 0; margin: 0.5rem 0 0; max-width: none; columns: 16rem; }
nav li { margin: 0; }
nav a { display: inline-block; padding: 0.2rem 0; }
.skip { position: absolute; left: -100vw; top: 0; background: var(--paper); padding: 0.5rem 1rem; z-index: 1; }
.skip:focus { left: 0; }
pre { background: var(--raised); padding: 1rem; overflow-x: auto; font-size: 0.875rem; line-height: 1.5; }
code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; font-size: 0.9em; }
.facts div { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: 1rem; padding: 0.3rem 0;
  font-size: 0.9rem; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; overflow-wrap: anywhere; }
.said { white-space: pre-wrap; overflow-wrap: anywhere; }
h4 { font-size: 1rem; margin: 2rem 0 0; }
h5 { font: 600 0.9rem/1.4 system-ui, sans-serif; margin: 0; overflow-wrap: anywhere; }
.asked { margin: 1.25rem 0 0; padding: 0.75rem 0 0; border-top: 1px solid var(--line); }
blockquote { margin: 0.5rem 0; padding: 0.5rem 0.9rem; border-left: 3px solid var(--line); background: var(--raised);
  font-size: 0.9rem; max-width: 68ch; }
.answers { list-style: none; padding: 0; max-width: none; display: grid; gap: 1rem 1.5rem; font-size: 0.9rem;
  grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr)); }
.answers > li { border-top: 1px solid var(--hair); margin: 0; min-width: 0; }
.answers p { margin: 0.35rem 0; } .answers ul { padding: 0; list-style: none; margin: 0.35rem 0; }
.answers ul li { margin: 0.1rem 0; }
@media (max-width: 30rem) { .facts div { grid-template-columns: minmax(0, 1fr); gap: 0; } }
"""

_TABLES = """
figure { margin: 2rem 0 0; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem 2.5rem; align-items: start; }
figcaption { font-size: 0.95rem; max-width: 72ch; }
details { margin: 0.75rem 0; } figure > details { margin: 0; min-width: 0; }
summary { cursor: pointer; font-size: 0.85rem; color: var(--soft); padding: 0.35rem 0; width: fit-content; }
.scroll { overflow-x: auto; margin: 0.25rem 0 0.5rem; }
table { border-collapse: collapse; font-size: 0.875rem; line-height: 1.35;
  font-variant-numeric: tabular-nums lining-nums; }
caption.named { font-weight: 600; text-align: left; padding: 0.75rem 0 0.25rem; }
caption:not(.named) { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.scroll { position: relative; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 1.1rem 0.4rem 0; font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: 0.8rem; vertical-align: bottom; border-bottom: 1px solid var(--ink);
  min-width: 4.2rem;
  max-width: 9.5rem; overflow-wrap: break-word; }
thead .n { white-space: normal; }
tbody th { min-width: 8.5rem; max-width: 20rem; overflow-wrap: break-word; }
tbody tr + tr > * { border-top: 1px solid var(--hair); }
tbody + tbody { border-top: 1px solid var(--ink); color: var(--soft); }
.n { text-align: right; white-space: nowrap; } .n sup.mark { position: absolute; margin-top: 0.4em; }
.under { display: block; font-size: 0.75rem; color: var(--soft); white-space: nowrap; }
th .under { white-space: normal; }
sup.mark { color: var(--accent); font-weight: 600; padding-left: 0.15em; }
sup { line-height: 0; }
.footnotes { list-style: none; padding: 0; font-size: 0.85rem; color: var(--soft); margin: 0.25rem 0; }
.heat { display: inline-block; min-width: 3.2em; padding: 0 0.35em; text-align: right;
  background: linear-gradient(var(--accent-soft), var(--accent-soft)) left / calc(var(--share) * 100%) 100% no-repeat; }
@media (max-width: 40rem) {
  thead th:last-child:not(.n) { min-width: 13rem; max-width: none; }
  .scroll th:first-child { position: sticky; left: 0; background: var(--paper); z-index: 1; min-width: 7rem;
    max-width: 9rem; }
}
@media (max-width: 30rem) {  /* a telephone: numbers side by side, closer, before they must be scrolled to */
  .scroll table { font-size: 0.8rem; width: 100%; }
  .scroll th, .scroll td { padding-right: 0.5rem; }
  .scroll thead th:not(:first-child) { min-width: 0; font-size: 0.75rem; }
  .scroll th:first-child { min-width: 5rem; }
  .scroll .under { white-space: normal; }
}
@media (min-width: 56rem) {
  .pair { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
    .pair:has(.plane) { grid-template-columns: minmax(0, 6fr) minmax(0, 5fr); }
  figcaption, .wide > * { grid-column: 1 / -1; }
}
"""

_PLOTS = """
svg { display: block; overflow: visible; max-width: 100%; font-family: inherit; }
svg svg { max-width: none; }
svg .name, svg .value, svg .absent, svg .reference-name { paint-order: stroke; stroke: var(--paper); stroke-width: 3px;
  stroke-linejoin: round; }
svg text { fill: var(--ink); font-size: 13px; font-variant-numeric: tabular-nums lining-nums; }
.wide > .plot { max-width: 52rem; }
.plane { width: 100%; height: auto; max-width: 40rem; }
.value { font-weight: 650; }
svg .tick, svg .reference-name { fill: var(--soft); font-size: 11.5px; }
svg .absent { fill: var(--soft); font-style: italic; font-size: 12.5px; }
svg .heading { font-weight: 650; font-size: 14px; }
.grid { stroke: var(--hair); } .rule { stroke: var(--ink); } .track { stroke: var(--line); stroke-opacity: 0.5; }
.frame { fill: none; stroke: var(--line); }
.bar { stroke: var(--bar); stroke-width: 7; }
.dot, .measured-bar { fill: var(--accent); } .dot { stroke: var(--paper); stroke-width: 1.5; }
.reference { stroke: var(--ink); stroke-dasharray: 3 3; }
.lane { stroke: var(--other); stroke-width: 2; } .knot { fill: var(--other); }
.published-bar { stroke: var(--other); } .published.ground { fill: var(--paper); }
svg .published.lines { stroke: var(--other); stroke-width: 2; stroke-opacity: 1; }
.whisker { stroke: var(--ink); stroke-width: 1.5; }
.cut { stroke: var(--paper); stroke-width: 1.5; }
svg .lines { fill: none; stroke: var(--paper); stroke-width: 1.5; stroke-opacity: 0.65; }
.class-answer.ground { fill: var(--answer); } .class-hedge.ground { fill: var(--hedge); }
.class-evasive.ground { fill: var(--evasive); } .class-refusal.ground { fill: var(--refusal); }
.class-broken.ground { fill: var(--broken); } .class-wrong_language.ground { fill: var(--wrong); }
svg .on-part { font-weight: 650; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.point-assistant { fill: var(--accent); stroke: var(--paper); stroke-width: 1; } .point-people { fill: var(--line); }
.cloud-assistant { fill: var(--accent-soft); stroke: var(--accent); stroke-width: 0.75; }
.cloud-people { fill: none; stroke: var(--hair); }
.error { stroke: var(--accent); stroke-opacity: 0.55; stroke-width: 1.5; }
.leader { stroke: var(--soft); stroke-width: 0.6; }
svg .at-assistant, svg .at-people { paint-order: stroke; stroke: var(--paper); stroke-width: 2.5px;
  stroke-linejoin: round; }
svg .at-assistant { font-weight: 650; font-size: 12.5px; }
svg .at-people { fill: var(--soft); font-size: 10.5px; }
svg .axis { font-size: 12px; } svg .end { font-size: 11px; fill: var(--soft); } .plane .tick { font-size: 11px; }
@media (min-width: 40rem) {
  svg .at-assistant { font-size: 10px; } svg .at-people { font-size: 8.5px; }
  svg .axis { font-size: 9.5px; } svg .end, .plane .tick { font-size: 8.5px; }
}
"""

_PAPER = """
@media print {
  html { font-size: 10pt; background: none; }
  main { max-width: none; padding: 0; }
  nav, .skip { display: none; }
  section { margin-top: 2rem; }
  h2, h3, .lead, figcaption, summary, thead { break-after: avoid; }
  figure { display: block; }
  tr, .plot, figcaption, aside, .card > h3 { break-inside: avoid; } .plot { margin: 0.75rem 0; break-after: avoid; }
  .card, #cards, #leaderboard { break-before: page; }
  #cards > h2 + .lead + .card { break-before: auto; }
  p { break-inside: avoid; } article > p { break-after: avoid; }
  .scroll { overflow: visible; }
  .pair > .plot { max-width: 13cm; } .plane { max-width: 12cm; }
  table { font-size: 8.5pt; } th, td { padding-right: 0.7rem; }
  summary { list-style: none; } summary::-webkit-details-marker { display: none; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  details:not([open]) > :not(summary) { display: block; }
  svg, .heat { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  a { color: inherit; }
  @page { margin: 18mm 16mm; }
}
"""

_NEEDS = """
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media (forced-colors: active) {
  :root { --paper: Canvas; --raised: Canvas; --ink: CanvasText; --soft: CanvasText; --hair: GrayText;
    --line: CanvasText;
    --accent: LinkText; --other: CanvasText; --focus: Highlight; }
  svg { forced-color-adjust: none; }
}
"""

STYLE = (
    f":root {{ color-scheme: light dark; {_LIGHT} }}\n"
    f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}\n"
    f"{_PAGE}{_TABLES}{_PLOTS}{_PAPER}{_NEEDS}"
)
