import type { EChartsType } from 'echarts/core';
import { useEffect, useRef, useState } from 'preact/hooks';
import { readChartTheme } from '../lib/chart-theme.js';
import { fileNameOf, saveFile } from '../lib/download.js';
import { type Figures, type Plot, plotCsv, plotSummary } from '../lib/plot.js';
import { plotOption } from '../lib/plot-option.js';
import { PlotTable } from './plot-table.js';
import '../style/chart.css';

export interface ChartProps {
  plot: Plot;
  /** What the table and the CSV hold, when that is more than what is drawn. */
  figures?: Figures;
  heightPx?: number;
  /** `full`: downloads and the figures as a table. `small`: the drawing alone, beside a text that says the same. */
  size?: 'full' | 'small';
}

/** Exports are drawn in this size, whatever the window has. */
const EXPORT = { widthPx: 1200, heightPx: 675 };

/** Draws a plot, with its figures as a table for those who cannot see it. */
export function Chart({ plot, figures = plot, heightPx = 340, size = 'full' }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const [failure, setFailure] = useState<string | undefined>();
  const isSmall = size === 'small';

  useEffect(() => {
    const element = box.current!;
    let chart: EChartsType | undefined;
    let isGone = false;
    const draw = () => {
      if (!chart || element.clientWidth === 0) return;
      const widthPx = element.clientWidth;
      chart.resize({ width: widthPx, height: heightPx });
      chart.setOption(plotOption({ plot, theme: readChartTheme(), widthPx, isSmall }), { notMerge: true });
    };
    const sizes = new ResizeObserver(draw);
    import('../lib/echarts.js').then(
      ({ init }) => {
        if (isGone) return;
        chart = init(element, undefined, { renderer: 'canvas', width: 'auto', height: heightPx });
        sizes.observe(element);
        draw();
      },
      () => setFailure('The chart could not be loaded; reload the page.'),
    );
    window.addEventListener('themechange', draw);
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', draw);
    return () => {
      isGone = true;
      sizes.disconnect();
      window.removeEventListener('themechange', draw);
      system.removeEventListener('change', draw);
      chart?.dispose();
    };
  }, [plot, heightPx, isSmall]);

  useEffect(() => {
    if (box.current) box.current.style.height = `${heightPx}px`;
  }, [heightPx]);

  return (
    <div class="chart">
      {failure && <p class="soft">{failure}</p>}
      <div
        ref={box}
        class="chart-box"
        role="img"
        aria-label={plotSummary(plot)}
        hidden={failure !== undefined}
      />
      {!isSmall && (
        <div class="chart-tools">
          <details class="chart-figures">
            <summary>Figures</summary>
            <PlotTable plot={figures} />
          </details>
          <fieldset class="chart-downloads">
            <legend class="visually-hidden">Download {plot.title}</legend>
            <button type="button" class="button quiet" onClick={() => savePng(plot)}>
              PNG
            </button>
            <button type="button" class="button quiet" onClick={() => saveSvg(plot)}>
              SVG
            </button>
            <button type="button" class="button quiet" onClick={() => saveCsv(figures)}>
              CSV
            </button>
          </fieldset>
        </div>
      )}
    </div>
  );
}

async function savePng(plot: Plot): Promise<void> {
  const chart = await exportChart(plot, 'canvas');
  const { surface } = readChartTheme();
  const url = chart.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor: surface });
  chart.dispose();
  saveFile(fileNameOf(plot.title, 'png'), url);
}

async function saveSvg(plot: Plot): Promise<void> {
  const chart = await exportChart(plot, 'svg');
  const text = chart.renderToSVGString();
  chart.dispose();
  saveFile(fileNameOf(plot.title, 'svg'), new Blob([text], { type: 'image/svg+xml' }));
}

function saveCsv(figures: Figures): void {
  saveFile(
    fileNameOf(figures.title, 'csv'),
    new Blob([plotCsv(figures)], { type: 'text/csv;charset=utf-8' }),
  );
}

/** A drawing of its own with the title above it, since the picture leaves the page that says it. */
async function exportChart(plot: Plot, renderer: 'canvas' | 'svg'): Promise<EChartsType> {
  const { init } = await import('../lib/echarts.js');
  const theme = readChartTheme();
  const { widthPx, heightPx } = EXPORT;
  const size = { width: widthPx, height: heightPx };
  const chart =
    renderer === 'svg'
      ? init(null, undefined, { renderer, ssr: true, ...size })
      : init(document.createElement('div'), undefined, { renderer, ...size });
  const option = plotOption({ plot, theme, widthPx });
  chart.setOption({ ...option, backgroundColor: theme.surface, ...titled(plot, option) });
  return chart;

  function titled({ title }: Plot, { grid, legend }: Record<string, unknown>) {
    return {
      title: { text: title, left: 8, top: 8, textStyle: { color: theme.text, fontSize: 18 } },
      grid: { ...(grid as object), top: legend ? 84 : 56 },
      ...(legend ? { legend: { ...legend, top: 44, left: 8 } } : {}),
    };
  }
}
