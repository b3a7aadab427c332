/** What a log should not have: warnings and worse, and whatever is no line of a log, such as a stack trace. */

/** Lines that are told of one process; more say nothing new. */
const MAX_TOLD = 20

/**
 * @param output all that a process has printed, as text or JSON
 * @param expected what lines may have that are no trouble here
 */
export function troubleIn(output: string, ...expected: readonly RegExp[]): readonly string[] {
  return output
    .split('\n')
    .filter((line) => line !== '' && !isCalm(line) && !expected.some((one) => one.test(line)))
    .slice(0, MAX_TOLD)
}

const isCalm = (line: string): boolean =>
  /"level":(?:"(?:info|debug|trace)"|[123]0)[,}]/.test(line) ||
  /\blevel=(?:info|debug|trace)\b/.test(line)
