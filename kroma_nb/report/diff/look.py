"""How a comparison looks; colours come from the notebook's own theme, with plain ones where there is none."""

STYLE = """
.kroma-diff{font:13px/1.5 system-ui,sans-serif;color:var(--jp-content-font-color1,inherit);max-width:1060px;
--soft:var(--jp-content-font-color2,#6a6a6a);--line:var(--jp-border-color2,#8884);
--out:var(--jp-error-color1,#b3261e);--in:var(--jp-success-color0,#1b6e35)}
.kroma-diff header{display:flex;flex-wrap:wrap;align-items:center;gap:8px 14px;margin:0 0 10px}
.kroma-diff .run{border-left:3px solid var(--tint);padding:1px 0 1px 10px;overflow-wrap:anywhere}
.kroma-diff .run b{display:block;font-size:14px;font-weight:600}
.kroma-diff .run span{color:var(--soft)}
.kroma-diff .before{--tint:var(--line)}
.kroma-diff .after{--tint:currentColor}
.kroma-diff .to{font-size:18px;color:var(--soft)}
.kroma-diff p{margin:.3em 0}
.kroma-diff .sum{font-size:15px;margin-bottom:1em}
.kroma-diff .same{font-size:15px;padding:.8em 1em;border:1px solid var(--line);border-radius:6px}
.kroma-diff .note,.kroma-diff .soft{color:var(--soft)}
.kroma-diff .note{font-size:12px}
.kroma-diff h4{margin:1.6em 0 .5em;padding-bottom:.3em;border-bottom:1px solid var(--line);font-size:15px}
.kroma-diff h5{margin:1.1em 0 .35em;font-size:12px;font-weight:600;color:var(--soft);letter-spacing:.02em}
.kroma-diff .name{font-size:14px;color:inherit}
.kroma-diff.kroma-diff table{border-collapse:collapse;margin:0;font-size:13px;table-layout:auto}
.kroma-diff.kroma-diff tr{background:none}
.kroma-diff.kroma-diff th,.kroma-diff.kroma-diff td{padding:.22em 1.6em .22em 0;text-align:left;vertical-align:top;
border:0;background:none;overflow-wrap:anywhere;max-width:26em}
.kroma-diff.kroma-diff thead th{font-weight:400;font-size:12px;color:var(--soft)}
.kroma-diff.kroma-diff tbody th{font-weight:400;width:15em;max-width:15em}
.kroma-diff.kroma-diff .scene tbody th{width:9em}
.kroma-diff.kroma-diff .scene .n{min-width:5.2em}
.kroma-diff.kroma-diff .key *{font-weight:600}
.kroma-diff.kroma-diff .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.kroma-diff td.was{color:var(--soft);min-width:8em}
.kroma-diff td.is{font-weight:600}
.kroma-diff blockquote{margin:.2em 0 .7em;padding:0 0 0 12px;border-left:2px solid var(--line);font-size:14px;
line-height:1.7;max-width:46em;color:inherit;overflow-wrap:anywhere}
.kroma-diff blockquote p{margin:0}
.kroma-diff del,.kroma-diff ins{padding:1px 4px;border-radius:3px}
.kroma-diff del{color:var(--out);background:color-mix(in srgb,var(--out) 12%,transparent);text-decoration:line-through}
.kroma-diff ins{color:var(--in);background:color-mix(in srgb,var(--in) 14%,transparent);text-decoration:underline;
text-underline-offset:3px}
.kroma-diff summary{cursor:pointer}
.kroma-diff .scene{display:flex;flex-wrap:wrap;gap:14px 28px;align-items:flex-start;margin:0 0 1.6em}
.kroma-diff .pair{display:flex;gap:10px}
.kroma-diff figure{margin:0;width:min-content;min-width:84px}
.kroma-diff figure img{display:block;max-width:none;margin:0;background:#fff;border:1px solid var(--line)}
.kroma-diff figcaption{margin-top:4px;padding-top:3px;border-top:3px solid var(--tint);font-size:12px}
.kroma-diff .none{box-sizing:border-box;width:130px;padding:2.4em .8em;border:1px dashed var(--line);text-align:center;
color:var(--soft);font-size:12px;overflow-wrap:anywhere}
"""
