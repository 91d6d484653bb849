/* report_style.c - see report_style.h. Whoever changes the style puts in the hash that
 * the test tells.
 */
#include "analyzer/report_style.h"

/* clang-format off */
static const char style[] =
    ":root{--back:#ffffff;--text:#1c2127;--dim:#5f6b7a;--line:#d8dde3;--soft:#f3f5f7;\n"
    "--bar:#3b82c4;--good:#1f7a4d;--warn:#9a5b00;--bad:#b3261e}\n"
    "@media(prefers-color-scheme:dark){:root{--back:#14181d;--text:#e4e8ec;--dim:#9aa6b2;\n"
    "--line:#313942;--soft:#1c2229;--bar:#5a9fdc;--good:#5cc28f;--warn:#e3a54a;--bad:#f08a80}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--back);color:var(--text);\n"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif}\n"
    "main{max-width:1080px;margin:0 auto;padding:24px 20px 64px}\n"
    "h1{font-size:24px;margin:0 0 4px}\n"
    "h2{font-size:18px;margin:40px 0 10px;padding-bottom:4px;border-bottom:1px solid var(--line)}\n"
    "p{margin:4px 0;overflow-wrap:anywhere}\n"
    ".dim{color:var(--dim)}.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:10px;\n"
    "margin:20px 0}\n"
    ".tile{background:var(--soft);border-radius:8px;padding:12px 14px}\n"
    ".tile b{display:block;font-size:22px;line-height:1.25;font-variant-numeric:tabular-nums}\n"
    ".tile span{color:var(--dim);font-size:13px}\n"
    ".table{overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
    "th{color:var(--dim);font-weight:600;font-size:13px;vertical-align:bottom}\n"
    "th,td{padding:5px 10px;border-bottom:1px solid var(--line)}\n"
    "th:first-child,td:first-child{padding-left:0}\n"
    "td.text,th.text{text-align:left;overflow-wrap:anywhere}\n"
    "td.text{min-width:150px}\n"
    "td.number,th.number{text-align:right;white-space:nowrap}\n"
    "td.chart{width:40%;min-width:110px}\n"
    "svg.bar,svg.spark{display:block;width:100%;height:12px;fill:var(--bar)}\n"
    "svg.spark{height:36px}\n"
    "figure{margin:0}\n"
    "figcaption{color:var(--dim);font-size:13px;margin-top:4px}\n"
    ".plot{overflow-x:auto}\n"
    ".plot svg{display:block;width:100%;min-width:640px;height:auto}\n"
    ".plot g{color:inherit}\n"
    ".plot [fill=\"black\"]{fill:currentColor}\n"
    ".plot [stroke=\"black\"],.plot [stroke='black']{stroke:currentColor}\n"
    ".plot path[stroke=\"rgb(176, 176, 176)\"]{stroke:var(--line)}\n"
    ".plot rect[fill=\"#ffffff\"]{fill:none}\n"
    "summary{cursor:pointer;margin:10px 0;color:var(--dim)}\n"
    "pre{background:var(--soft);border-radius:8px;padding:14px;overflow-x:auto;\n"
    "font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}\n"
    "@media print{main{max-width:none;padding:0}.table,.plot{overflow:visible}\n"
    "section{break-inside:avoid}}\n";
/* clang-format on */

const char *report_style(void)
{
    return style;
}

const char *report_style_hash(void)
{
    return "sha256-nkceU0qdRDnIIjB2e8L/XloEhdhIHDx4XgbOhjrdXDM=";
}
