/** How the services of the demo tell the demo what they see: one JSON line each. */
export function print(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
