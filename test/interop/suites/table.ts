/** A table of verdicts, suite by suite and pair by pair, as it is printed when all is told. */

type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'skipped'; readonly why: string }

export interface Table {
  /** Runs one cell and keeps how it ended; what it throws is thrown on. */
  enter(row: string, column: string, tell: () => Promise<void>): Promise<void>
  skip(row: string, column: string, why: string): void
  print(): string
}

const SIGN = { passed: '✓', failed: '✗', skipped: 'skipped' } as const

/** A cell without a verdict was not run, and is printed as such; a row without any is left out. */
export function createTable(rows: readonly string[], columns: readonly string[]): Table {
  const verdicts = new Map<string, Verdict>()
  const keyOf = (row: string, column: string) => `${row}\n${column}`
  const signOf = (row: string, column: string) => {
    const verdict = verdicts.get(keyOf(row, column))
    return verdict === undefined ? 'not run' : SIGN[verdict.kind]
  }
  const isTold = (row: string) => columns.some((column) => verdicts.has(keyOf(row, column)))
  return {
    async enter(row, column, tell) {
      verdicts.set(keyOf(row, column), { kind: 'failed' })
      await tell()
      verdicts.set(keyOf(row, column), { kind: 'passed' })
    },
    skip(row, column, why) {
      verdicts.set(keyOf(row, column), { kind: 'skipped', why })
    },
    print() {
      const lines = [
        ['suite', ...columns],
        ...rows.filter(isTold).map((row) => [row, ...columns.map((column) => signOf(row, column))]),
      ]
      const widths = lines[0]?.map((_, at) =>
        Math.max(...lines.map((line) => line[at]?.length ?? 0)),
      )
      const drawn = lines.map((line) =>
        line.map((word, at) => word.padEnd(widths?.[at] ?? 0)).join('  '),
      )
      const skipped = [...verdicts.values()].flatMap((it) =>
        it.kind === 'skipped' ? [it.why] : [],
      )
      const passed = [...verdicts.values()].filter(({ kind }) => kind === 'passed').length
      const total = rows.length * columns.length
      const sum = [`${passed} of ${total} cells passed`, ...new Set(skipped)]
      return `\n${[...drawn, ...sum].map((line) => line.trimEnd()).join('\n')}\n\n`
    },
  }
}
