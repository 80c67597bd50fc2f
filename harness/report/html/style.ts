import { paletteCss } from './palette.ts';

/** Narrow first; a desk gets more columns. Paper gets the light theme, whatever the screen has. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;${paletteCss('light')}}
@media screen and (prefers-color-scheme:dark){:root{${paletteCss('dark')}}}
*{box-sizing:border-box}
html{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);overflow-wrap:anywhere}
.wrap{max-width:76rem;margin:0 auto;padding:.75rem}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
.skip{position:absolute;left:-999rem}.skip:focus{left:.75rem;top:.5rem;background:var(--surface);padding:.4rem .6rem;z-index:1}
h1{font-size:1.45rem;line-height:1.2;margin:.1rem 0 .35rem;font-weight:650;display:flex;flex-wrap:wrap;gap:.1rem .7rem;align-items:baseline}
h2{font-size:1.15rem;margin:0 0 .75rem;font-weight:650}
h2.small{font-size:.85rem;color:var(--muted);margin:1rem 0 .35rem;font-weight:600}
h3{font-size:.95rem;margin:0 0 .35rem}
p{margin:.25rem 0}
code,pre{font:.92em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{overflow-x:auto;padding:.75rem;border:1px solid var(--rule);border-radius:6px;margin:.5rem 0}
.eyebrow{color:var(--muted);font-size:.8rem;margin:0}
.verdict{text-transform:uppercase;letter-spacing:.02em;font-weight:750}
.drill-name{font-weight:600}
.lead{font-size:1.02rem;max-width:62rem;margin:0}
.summary,.card{background:var(--surface);border:1px solid var(--rule);border-radius:10px;padding:1rem;margin:0 0 .85rem}
.summary{border-left:6px solid var(--muted)}
.edge-pass{border-left-color:var(--pass)}.edge-fail{border-left-color:var(--fail)}.edge-doubt{border-left-color:var(--doubt)}
.tone-pass{color:var(--pass)}.tone-fail{color:var(--fail)}.tone-doubt{color:var(--doubt)}.tone-none{color:var(--none)}
nav{font-size:.85rem;margin:0 0 .75rem}nav ul{display:flex;flex-wrap:wrap;gap:.15rem 1rem;margin:0;padding:0 .25rem;list-style:none}
.tiles{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:.6rem;margin-top:.8rem}
.tile{margin:0;padding:.55rem .7rem;border:1px solid var(--rule);border-radius:8px;background:var(--page)}
.tile dt{color:var(--muted);font-size:.78rem}.tile dd{margin:0}
.figure{font-size:1.25rem;font-weight:650;line-height:1.3;font-variant-numeric:tabular-nums}
.figure.name{font-size:1.02rem;line-height:1.35}
.detail{color:var(--muted);font-size:.78rem}
.bars{display:grid;gap:.1rem}
.bar-row{display:grid;grid-template-columns:5rem minmax(0,1fr) 5.6rem;gap:.5rem;align-items:center;font-size:.85rem}
.bar-value{text-align:right;font-variant-numeric:tabular-nums}
svg{display:block;overflow:visible}
.bar{width:100%;height:18px}.bar-bed{fill:var(--page)}.bar-time{fill:var(--inside)}.bar-late{fill:var(--late)}
.note,figcaption,caption,.claim,.sub{color:var(--muted);font-size:.82rem}
figure{margin:0 0 1.1rem}figcaption{margin-bottom:.35rem}caption{text-align:left;padding:.4rem 0}
.lanes{display:grid;grid-template-columns:5.6rem minmax(0,1fr);column-gap:.6rem;align-items:center}
.lane-name{font-size:.82rem;line-height:1.2}.sub{display:block;font-size:.74rem;font-variant-numeric:tabular-nums}
td .sub{display:inline}
.lane{width:100%;height:32px;border-bottom:1px solid var(--rule)}
.lane.strip{height:64px}
svg.lane svg{overflow:hidden}
.axis{width:100%;height:22px}.axis text{font-size:11px;fill:var(--muted)}
.tick{stroke:var(--rule)}
.ticks{fill:none;stroke-width:1.4;vector-effect:non-scaling-stroke}
.ticks.inside{stroke:var(--inside)}.ticks.outside{stroke:var(--outside)}.ticks.late{stroke:var(--late)}
path.bars.inside{fill:var(--inside)}path.bars.outside{fill:var(--outside)}
circle.late{fill:var(--late);stroke:var(--surface);stroke-width:1}
.ended{fill:var(--surface);stroke:var(--inside);stroke-width:2}
.alive{fill:var(--outside)}
.band-stop{fill:var(--stopBand)}.band-fault{fill:var(--faultBand)}
.line-stop,.line-release{stroke:var(--ink);stroke-width:1.5}.line-release{stroke-dasharray:1 3}
.line-under{stroke:var(--surface);stroke-width:4}.line-budget{stroke:var(--budget);stroke-width:1.5;stroke-dasharray:5 3}
.dot{fill:var(--inside);stroke:var(--surface);stroke-width:1}.dot-open{fill:var(--surface);stroke:var(--late);stroke-width:2}.column,.area{fill:var(--inside)}
.markers{width:100%;height:20px}.rows-2{height:39px}.rows-3{height:58px}.rows-4{height:77px}
.marker-stop{fill:var(--ink)}.marker-release{fill:var(--muted)}.marker-fault{fill:var(--doubt)}
.marker-text{font-size:10px;font-weight:700;fill:var(--surface)}
.happenings{list-style:none;margin:0 0 1.1rem;padding:0;font-size:.88rem}
.happenings li{display:flex;flex-wrap:wrap;gap:0 .5rem;align-items:baseline;padding:.12rem 0}
.number{flex:none;display:inline-block;min-width:1.3rem;text-align:center;font-size:.72rem;font-weight:700;border-radius:1rem;color:var(--surface);background:var(--ink);line-height:1.3rem}
.number-release{background:var(--muted)}.number-fault{background:var(--doubt);border-radius:2px}
.at{font-variant-numeric:tabular-nums;color:var(--muted);min-width:4.4rem;text-align:right}
.key{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;list-style:none;margin:0 0 .8rem;padding:0;font-size:.8rem;color:var(--muted)}
.key li{display:flex;align-items:center;gap:.35rem}.swatch{width:20px;height:16px;flex:none}
table{border-collapse:collapse;width:100%;font-size:.88rem}
.narrow{width:auto;min-width:min(100%,26rem);margin-bottom:.6rem}
th,td{text-align:left;vertical-align:top;padding:.28rem .8rem .28rem 0;border-bottom:1px solid var(--rule)}
th{font-weight:600}thead th{color:var(--muted);font-size:.8rem}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.sum th,.sum td{border-top:2px solid var(--rule);font-weight:650}
.scroll{overflow-x:auto}
.findings{list-style:none;margin:0;padding:0}
.findings>li{padding:.65rem 0;border-top:1px solid var(--rule)}.findings>li:first-child{border-top:0;padding-top:0}
.finding-head{display:flex;flex-wrap:wrap;gap:.2rem .6rem;align-items:baseline}
.badge{display:inline-block;border:1px solid currentColor;border-radius:1rem;padding:0 .55rem;font-size:.78rem;font-weight:650;white-space:nowrap}
details{margin:.35rem 0}summary{cursor:pointer;color:var(--link);font-size:.88rem;padding:.15rem 0}
.facts{display:grid;grid-template-columns:minmax(6rem,auto) minmax(0,1fr);gap:.1rem .9rem;margin:.25rem 0;font-size:.88rem}
.facts dt{color:var(--muted)}.facts dd{margin:0}
.columns{display:grid;gap:1rem;margin-bottom:.5rem}
footer{color:var(--muted);font-size:.82rem;padding:.25rem .25rem 1rem}
@media (min-width:46rem){
.wrap{padding:1.25rem}.summary,.card{padding:1.15rem 1.35rem}
h1{font-size:1.75rem}
.tiles{grid-template-columns:repeat(4,minmax(0,1fr))}
.bar-row{grid-template-columns:7rem minmax(0,1fr) 9.5rem}
.lanes{grid-template-columns:7rem minmax(0,1fr)}
.columns{grid-template-columns:repeat(auto-fit,minmax(18rem,1fr))}
}
@media (min-width:60rem){
.findings>li{display:grid;grid-template-columns:17rem minmax(0,1fr);column-gap:1rem}
.finding-head{flex-direction:column;align-items:flex-start}.finding-body p:first-child{margin-top:0}
}
@media print{
:root{color-scheme:light}
html{font-size:11px}body{background:#fff}.wrap{max-width:none;padding:0}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
.summary,.card{break-inside:auto;border-radius:0}.summary,figure,.lanes,tr,.findings>li,.tile{break-inside:avoid}
h2,h3,figcaption{break-after:avoid}
nav,.skip{display:none}
details::details-content{content-visibility:visible;display:block;height:auto}
summary{list-style:none;color:var(--muted)}
.scroll{overflow:visible}pre{white-space:pre-wrap}
}
`;
