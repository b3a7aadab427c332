/** Tables in Markdown, and figures as people read them. Pure. */

/** @param lines the first one is the head; all but the first column are figures */
export function markdownTable(lines: readonly (readonly string[])[]): readonly string[] {
  const [head = [], ...rest] = lines
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [row(head), `|---|${'---:|'.repeat(head.length - 1)}`, ...rest.map(row)]
}

/** Three digits that say something. */
export function figure(value: number, unit = ''): string {
  const behind = unit === '' ? '' : ` ${unit}`
  if (value >= 100)
    return `${Math.round(Number(value.toPrecision(3))).toLocaleString('en')}${behind}`
  if (value >= 10) return `${value.toFixed(1)}${behind}`
  return value === 0 ? `0${behind}` : `${value.toFixed(value >= 1 ? 2 : 3)}${behind}`
}

/** Processor time, of microseconds. */
export function cpu(micros: number): string {
  if (micros >= 1e6) return figure(micros / 1e6, 's')
  return micros >= 1e4 ? figure(micros / 1e3, 'ms') : figure(micros, 'µs')
}

/** Memory or space, of MiB. */
export function size(mib: number): string {
  if (mib >= 1e4) return figure(mib / 1024, 'GiB')
  return mib >= 1 ? figure(mib, 'MiB') : figure(mib * 1024, 'KiB')
}
