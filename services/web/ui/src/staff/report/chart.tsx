// A chart by week, drawn by uPlot: bars that lie on one another, or a line. What it shows also stands beside it as a table,
// and the week under the pointer is said in words below it.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { language } from "../shell/words";

export interface Series {
  label: string;
  // A colour of colours.css or report.css: "--green".
  colour: string;
  values: (number | null)[];
}

const HEIGHT = 230;
// There is no half a call.
const COUNTS = [1, 2, 5].flatMap((n) => [0, 1, 2, 3, 4, 5].map((power) => n * 10 ** power)).sort((a, b) => a - b);
const colourOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const dark = matchMedia("(prefers-color-scheme: dark)");

export function Chart({ kind, labels, series, max, say, title }: {
  // "stacked": each bar begins where the one before ends; "nested": each hides what it is part of; "line".
  kind: "stacked" | "nested" | "line";
  labels: string[];
  series: Series[];
  max?: number;
  say: (value: number) => string;
  title: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const under = useSignal<number | null>(null);
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    let plot: uPlot | null = null;
    const draw = (): void => {
      plot?.destroy();
      const tops: (number | null)[][] = [];
      series.forEach(({ values }, i) => tops.push(kind === "stacked" && i > 0 ? values.map((v, x) => (v ?? 0) + (tops[i - 1][x] ?? 0)) : values));
      // The tallest first, so that the others stand before it.
      const order = kind === "line" ? series.map((_, i) => i) : kind === "stacked" ? series.map((_, i) => i).reverse() : series.map((_, i) => i);
      const ink = colourOf("--soft");
      const grid = { stroke: colourOf("--line"), width: 1 };
      const bars = uPlot.paths.bars!({ size: [0.62, 46] });
      plot = new uPlot({
        width: place.clientWidth, height: HEIGHT, legend: { show: false }, padding: [8, 8, 0, 0],
        cursor: { y: false, points: { show: false }, drag: { setScale: false, x: false, y: false } },
        scales: { x: { time: false, range: [-0.6, labels.length - 0.4] }, y: { range: (_, __, top) => [0, max ?? (top > 0 ? top * 1.1 : 1)] } },
        axes: [
          {
            stroke: ink, grid: { show: false }, ticks: { show: false }, font: "13px system-ui", size: 30, space: 56,
            splits: (_, __, from, to, step) => Array.from({ length: labels.length }, (___, i) => i).filter((i) => i >= from && i <= to && (labels.length - 1 - i) % Math.max(1, Math.round(step)) === 0),
            incrs: [1, 2, 3, 4, 6, 13, 26], values: (_, splits) => splits.map((i) => labels[i] ?? ""),
          },
          {
            stroke: ink, grid, ticks: { show: false }, font: "13px system-ui", size: 52, values: (_, splits) => splits.map(say),
            ...(kind === "nested" && { incrs: COUNTS }),
          },
        ],
        series: [{}, ...order.map((i): uPlot.Series => ({
          label: series[i].label, stroke: colourOf(series[i].colour), points: { show: kind === "line", size: 7, fill: colourOf(series[i].colour) }, spanGaps: false,
          ...(kind === "line" ? { width: 2.5 } : { fill: colourOf(series[i].colour), width: 0, paths: bars }),
        }))],
        hooks: { setCursor: [(u) => (under.value = u.cursor.idx ?? null)] },
      }, [labels.map((_, i) => i), ...order.map((i) => tops[i])] as uPlot.AlignedData, place);
      plot.root.querySelector("canvas")?.setAttribute("aria-hidden", "true");
    };
    draw();
    const fit = new ResizeObserver(() => plot && place.clientWidth !== plot.width && plot.setSize({ width: place.clientWidth, height: HEIGHT }));
    fit.observe(place);
    dark.addEventListener("change", draw);
    return () => (fit.disconnect(), dark.removeEventListener("change", draw), plot?.destroy());
  }, [labels, series, kind, language.value]);
  const week = under.value !== null && under.value < labels.length ? under.value : labels.length - 1;
  return (
    <figure class="chart" role="group" aria-label={title}>
      <div ref={box} class="chart-box" />
      <figcaption>
        <strong>{labels[week]}</strong>
        {series.map((one) => {
          const value = one.values[week];
          return <span key={one.label}><i class="swatch" style={{ background: `var(${one.colour})` }} aria-hidden="true" />{one.label} <b class="numbers">{value === null || value === undefined ? "–" : say(value)}</b></span>;
        })}
      </figcaption>
    </figure>
  );
}
