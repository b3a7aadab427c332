/** What an agent of either kind has found its callers to be, from its log: level DEBUG, form JSON. */

export interface Attested {
  readonly pid: number
  /** As `type:value`, sorted. */
  readonly selectors: readonly string[]
}

/** SPIRE's text, and ours. */
const MESSAGES = ['PID attested to have selectors', 'Attested a workload']

/** @param output all that the agent has printed @param type of selectors that are wanted */
export function readAttested(output: string, type: string): readonly Attested[] {
  return output.split('\n').flatMap((line) => {
    if (!MESSAGES.some((message) => line.includes(message))) return []
    const { pid, selectors }: { readonly pid: number; readonly selectors: readonly unknown[] } =
      JSON.parse(line)
    const wanted = selectors.map(toText).filter((one) => one.startsWith(`${type}:`))
    return [{ pid, selectors: wanted.toSorted() }]
  })
}

function toText(selector: unknown): string {
  if (typeof selector === 'string') return selector
  const { type, value } = selector as { readonly type: string; readonly value: string }
  return `${type}:${value}`
}
