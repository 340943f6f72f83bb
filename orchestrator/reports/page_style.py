"""How the page looks: one style sheet, light and dark, for screens and for paper."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark;
  --ground: #f4f6f9; --card: #ffffff; --ink: #18212e; --soft: #5a6778; --rule: #e3e8ef; --faint: #eef1f6;
  --blue: #2f6fde; --blue-soft: #dbe7fc; --teal: #12a08c; --amber: #e08a00; --red: #d23b2c; --red-soft: #fdecea;
  --green: #17864a; --green-soft: #e2f5ea; --asked: #b6c4d8; --bar: #2f6fde; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #0d131d; --card: #151d2a; --ink: #e7ecf4; --soft: #94a2b7; --rule: #263347; --faint: #1b2535;
  --blue: #79a8ff; --blue-soft: #1d2f52; --teal: #3ccbb5; --amber: #f4b04a; --red: #ff8073; --red-soft: #3a1c1d;
  --green: #53cf8d; --green-soft: #14301f; --asked: #45566f; --bar: #5b8ff0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 34px; line-height: 1.15; margin: 4px 0 10px; letter-spacing: -0.02em; }
h2 { font-size: 22px; margin: 0 0 6px; letter-spacing: -0.01em; }
h3 { font-size: 14px; margin: 30px 0 10px; color: var(--soft); font-weight: 600; }
p { margin: 0 0 10px; }
.eyebrow { color: var(--soft); font-size: 13px; font-weight: 600; }
.summary { font-size: 17px; max-width: 78ch; color: var(--soft); }
.pill { display: inline-block; padding: 5px 13px; border-radius: 99px; font-weight: 600; font-size: 14px; }
.pill.good { color: var(--green); background: var(--green-soft); }
.pill.bad { color: var(--red); background: var(--red-soft); }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 14px; padding: 26px 28px 24px; margin-top: 26px; }
.card > .headline { color: var(--soft); max-width: 90ch; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 1px; background: var(--rule);
  border: 1px solid var(--rule); border-radius: 10px; overflow: hidden; margin: 18px 0 6px; }
.figure { background: var(--card); padding: 13px 16px; }
.figure b { display: block; font-size: 25px; line-height: 1.2; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.figure span { display: block; font-size: 13px; line-height: 1.35; margin: 2px 0; } .figure small { display: block; color: var(--soft); font-size: 12px; line-height: 1.4; }
.scroll { overflow-x: auto; } .chart { width: 100%; min-width: 820px; height: auto; display: block; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 12.5px; color: var(--soft); margin: 6px 0 0; }
.legend i { display: inline-block; width: 18px; height: 7px; border-radius: 2px; margin-right: 6px; vertical-align: 1px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: 12.5px; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--rule); }
td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--faint); vertical-align: top; }
tr:last-child td { border-bottom: 0; } td.tight, th.tight { white-space: nowrap; } td.soft, .soft { color: var(--soft); }
code { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; background: var(--faint);
  border-radius: 5px; padding: 2px 6px; }
.mark { display: inline-block; width: 20px; font-weight: 700; } .mark.good { color: var(--green); } .mark.bad { color: var(--red); }
.cause { border-left: 4px solid var(--red); background: var(--red-soft); border-radius: 0 10px 10px 0; padding: 12px 18px; margin: 16px 0; }
.cause b { color: var(--red); } .cause ul { margin: 6px 0 0; padding-left: 18px; }
.meter { width: 150px; height: 8px; border-radius: 4px; background: var(--faint); overflow: hidden; margin-top: 7px; }
.meter i { display: block; height: 100%; background: var(--teal); } .meter.full i { background: var(--blue); } .meter.over i { background: var(--red); }
.squares { display: flex; flex-wrap: wrap; gap: 3px; margin: 10px 0 8px; }
.squares i { width: 15px; height: 15px; border-radius: 3px; background: var(--green-soft); border: 1px solid var(--green); }
.squares i.broken { background: var(--red); border-color: var(--red); } .squares i.touched { background: var(--amber); border-color: var(--amber); }
details { margin-top: 8px; } summary { cursor: pointer; color: var(--blue); font-size: 13.5px; }
figure { margin: 14px 0 0; } figure .paper { background: #fff; border-radius: 10px; padding: 6px; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; display: block; margin: 0 auto; } figcaption { color: var(--soft); font-size: 13px; margin-top: 8px; }
footer { color: var(--soft); font-size: 12.5px; margin-top: 30px; } footer p { margin: 0 0 3px; }
svg text { font-family: inherit; fill: var(--soft); font-size: 10.5px; }
.stage { fill: var(--faint); opacity: .55; } .stage.odd { fill: var(--rule); opacity: .55; }
.stage-name { font-weight: 700; font-size: 12px; fill: var(--ink); } .bake { fill: url(#bakes); } .stripe { stroke: var(--soft); stroke-width: .8; opacity: .45; }
.tick, .lane { stroke: var(--rule); stroke-width: 1; } svg .lane-name { font-size: 9.5px; } .hour { font-size: 10px; }
.wave { fill: var(--blue-soft); } .wave.shut { fill: var(--red-soft); stroke: var(--red); stroke-width: .8; }
.asked { fill: var(--asked); } .changing { fill: var(--bar); } .proving { fill: var(--teal); } .gone { fill: var(--amber); }
.broken { fill: var(--red); } .doubtful { fill: var(--amber); opacity: .6; }
.stopped { stroke: var(--red); stroke-width: 1.6; stroke-dasharray: 4 3; } svg .stopped-name { fill: var(--red); font-weight: 700; font-size: 11.5px; }
.out-area { fill: var(--amber); opacity: .75; } .peak { fill: var(--ink); } svg .peak-name { fill: var(--ink); font-weight: 600; }
@media print { body { background: #fff; } .card { break-inside: avoid; border-color: #ccc; } details { display: none; } }
@media (max-width: 640px) { main { padding: 20px 12px 40px; } .card { padding: 18px 14px; } h1 { font-size: 26px; } }
"""
