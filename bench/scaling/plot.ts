/** Points of several series on axes that both are logarithmic, as an SVG: how something grows. Pure. */

export interface Series {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

export interface Plot {
  readonly title: string
  readonly x: string
  /** With its unit. */
  readonly y: string
  readonly series: readonly Series[]
}

const WIDTH = 360
const HEIGHT = 250
const LEFT = 58
const RIGHT = 16
const TOP = 44
const BOTTOM = 40
const COLOURS = ['#2f6db5', '#d08a2b', '#4a9a55', '#a34c8d'] as const
const COLUMNS = 2
/** Names of series stand as far apart as those of so many, or closer if there are more. */
const LEAST_NAMES = 3

/** All of them in one picture, two beside each other. */
export function pictureOf(plots: readonly Plot[]): string {
  const rows = Math.ceil(plots.length / COLUMNS)
  const drawn = plots.map((plot, at) => {
    const [left, top] = [(at % COLUMNS) * WIDTH, Math.floor(at / COLUMNS) * HEIGHT]
    return `<g transform="translate(${left} ${top})">\n${drawnPlot(plot)}\n</g>`
  })
  const size = `width="${COLUMNS * WIDTH}" height="${rows * HEIGHT}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...drawn,
    '</svg>\n',
  ].join('\n')
}

/** What is not above zero has no place on such an axis. */
const isShown = ({ x, y }: { readonly x: number; readonly y: number }) => x > 0 && y > 0

function drawnPlot({ title, x, y, series }: Plot): string {
  const shown = series.map((one) => ({ ...one, points: one.points.filter(isShown) }))
  const all = shown.flatMap(({ points }) => points)
  const across = axis(
    all.map((point) => point.x),
    LEFT,
    WIDTH - RIGHT,
  )
  const up = axis(
    all.map((point) => point.y),
    HEIGHT - BOTTOM,
    TOP,
  )
  const frame = `<rect x="${LEFT}" y="${TOP}" width="${WIDTH - LEFT - RIGHT}" height="${HEIGHT - TOP - BOTTOM}" fill="none" stroke="#bbb"/>`
  const verticals = across.ticks.map((tick) => {
    const at = across.place(tick).toFixed(1)
    return `<line x1="${at}" y1="${TOP}" x2="${at}" y2="${HEIGHT - BOTTOM}" stroke="#e5e5e5"/><text x="${at}" y="${HEIGHT - BOTTOM + 14}" text-anchor="middle">${short(tick)}</text>`
  })
  const levels = up.ticks.map((tick) => {
    const at = up.place(tick).toFixed(1)
    return `<line x1="${LEFT}" y1="${at}" x2="${WIDTH - RIGHT}" y2="${at}" stroke="#e5e5e5"/><text x="${LEFT - 5}" y="${Number(at) + 4}" text-anchor="end">${short(tick)}</text>`
  })
  const apart = (WIDTH - LEFT - RIGHT) / Math.max(LEAST_NAMES, shown.length)
  const lines = shown.map(({ name, points }, at) => {
    const colour = COLOURS[at % COLOURS.length]
    const places = points.map((point) => [across.place(point.x), up.place(point.y)] as const)
    const path = places.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ')
    const dots = places.map(
      ([px, py]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3" fill="${colour}"/>`,
    )
    const label = `<text x="${LEFT + at * apart}" y="${TOP - 8}" font-size="9" fill="${colour}">${name}</text>`
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>${dots.join('')}${label}`
  })
  return [
    `<text x="${LEFT}" y="16" font-weight="bold">${title}, ${y}</text>`,
    ...[...verticals, ...levels, frame, ...lines],
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${x}</text>`,
  ].join('\n')
}

/** From the power of ten below the least to the one above the most. */
function axis(values: readonly number[], from: number, to: number) {
  const least = Math.floor(Math.log10(Math.min(...values)) + 1e-9)
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9))
  const place = (value: number) =>
    from + ((Math.log10(value) - least) / (most - least)) * (to - from)
  const ticks = Array.from({ length: most - least + 1 }, (_, at) => 10 ** (least + at))
  return { place, ticks }
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`
  return value >= 1e3 ? `${value / 1e3}k` : String(Number(value.toPrecision(3)))
}
