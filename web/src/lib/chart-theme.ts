/** Colours and type of charts, taken from the tokens as they stand now. */
export interface ChartTheme {
  text: string;
  textSoft: string;
  line: string;
  lineStrong: string;
  surface: string;
  surfaceRaised: string;
  accent: string;
  font: string;
  palette: string[];
}

const PALETTE_SIZE = 8;

/** Reads the tokens; those that differ by theme are only resolved on an element that uses them. */
export function readChartTheme(): ChartTheme {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const colour = (token: string) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const theme: ChartTheme = {
    text: colour('text'),
    textSoft: colour('text-soft'),
    line: colour('line'),
    lineStrong: colour('line-strong'),
    surface: colour('surface'),
    surfaceRaised: colour('surface-raised'),
    accent: colour('accent'),
    font: getComputedStyle(document.body).fontFamily,
    palette: Array.from({ length: PALETTE_SIZE }, (_, index) => colour(`chart-${index + 1}`)),
  };
  probe.remove();
  return theme;
}
