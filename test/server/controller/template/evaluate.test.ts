/**
 * Templates beside Go's own: each vector was carried out by text/template over the types of k8s.io/api, and `go` is what
 * it wrote, null where it failed. Where ours is stricter on purpose, it refuses what Go writes: whole objects, pointers,
 * complaints of printf, several templates in one.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluate } from '../../../../server/controller/template/evaluate.ts'
import { MAX_TEMPLATE_LENGTH } from '../../../../server/controller/template/lex-template.ts'
import { parseTemplate } from '../../../../server/controller/template/parse-template.ts'
import { IdentityError } from '../../../../spiffe/error.ts'

interface Vector {
  readonly template: string
  readonly go?: string | null
  readonly stricter?: boolean
}

const { data, vectors }: { data: unknown; vectors: readonly Vector[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'go-templates.json'), 'utf8'),
)

const write = (template: string): string =>
  evaluate(parseTemplate(template), { type: { kind: 'struct', name: 'TemplateData' }, data })

/** Null for a refusal; anything else that is thrown is a bug. */
function written(template: string): string | null {
  try {
    return write(template)
  } catch (error) {
    expect(error).toBeInstanceOf(IdentityError)
    return null
  }
}

describe('as Go’s text/template', () => {
  test('there are vectors of every kind', () => {
    expect(vectors.filter(({ go }) => typeof go === 'string').length).toBeGreaterThan(130)
    expect(vectors.filter(({ go }) => go === null).length).toBeGreaterThan(80)
  })
  test.for(vectors.map((vector) => [vector.template, vector] as const))(
    '%s',
    ([template, { go }]) => {
      expect(written(template)).toBe(go ?? null)
    },
  )
})

describe('says what is wrong', () => {
  test.for([
    ['{{ .PodMeta.Name | sha256sum }}', 'function "sha256sum" not defined'],
    ['{{ js "x" }}', 'function "js" is not offered'],
    ['{{ .PodMeta.Nmae }}', "can't evaluate field Nmae in type ObjectMeta"],
    ['{{ .PodSpec.SecurityContext.RunAsUser }}', 'nil pointer'],
    ['{{ .PodMeta }}', 'a whole ObjectMeta cannot be written out'],
    ['{{ $x }}', 'undefined variable "$x"'],
    ['{{ if true }}x', 'unclosed {{if}}'],
    ['{{ .PodMeta.Name', 'unclosed action'],
    ['{{ template "x" }}', '{{template}} is not offered'],
    ['{{ eq 1 "1" }}', 'incompatible types for comparison'],
  ] as const)('%s', ([template, why]) => {
    expect(() => write(template)).toThrow(why)
  })
})

describe('is bounded', () => {
  const nested = (levels: number) =>
    `${'{{ range 100 }}'.repeat(levels)}x${'{{ end }}'.repeat(levels)}`
  test.for([
    ['in its length', 'x'.repeat(MAX_TEMPLATE_LENGTH + 1), 'longer than 16384 characters'],
    ['in its steps', nested(4).replace('x', '{{ "" }}'), 'more than 10000 steps'],
    ['in what it writes', nested(2).replace('x', 'x'.repeat(50)), 'more than 65536 characters'],
    ['in what it counts to', '{{ range 999999999999 }}{{ end }}', 'more than 10000 steps'],
    [
      'in a text that doubles',
      `{{ $x := "xxxxxxxx" }}${'{{ $x = print $x $x }}'.repeat(60)}`,
      'more than 65536 characters',
    ],
    [
      'in lines that double',
      `{{ $x := "xxxxxxxx" }}${'{{ $x = println $x $x $x }}'.repeat(60)}`,
      'more than 65536 characters',
    ],
    [
      'in formats that double',
      `{{ $x := "xxxxxxxx" }}${'{{ $x = printf "%s%s" $x $x }}'.repeat(60)}`,
      'more than 65536 characters',
    ],
    ['in widths', `{{ printf "${'%999s'.repeat(80)}"${' "a"'.repeat(80)} }}`, 'more than 65536'],
    ['in its depth', `${'{{ if true }}'.repeat(60)}${'{{ end }}'.repeat(60)}`, 'deeper than 50'],
    ['in its parentheses', `{{ ${'('.repeat(60)}1${')'.repeat(60)} }}`, 'deeper than 50'],
  ] as const)('%s', ([, template, why]) => {
    expect(() => write(template)).toThrow(why)
  })
})

describe('whatever somebody writes', () => {
  const word = fc.constantFrom(
    ...['{{', '}}', '{{-', '-}}', 'if', 'else', 'end', 'range', 'with', 'break', '.', '.PodMeta'],
    ...['.Labels', '.Name', '$', '$x', ':=', '=', '|', '(', ')', ',', '"a"', '`b`', "'c'", '1'],
    ...['printf', 'index', 'len', 'or', 'eq', 'nil', 'true', '/*', '*/', ' ', '\n', '"%s"', '-1'],
  )
  test('is written or refused, and never anything else', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        written(words.join(' '))
        written(`{{ ${words.join(' ')} }}`)
      }),
      { numRuns: 400 },
    )
    fc.assert(
      fc.property(fc.string({ maxLength: 60, unit: 'binary' }), (text) => {
        written(text)
        written(`{{${text}}}`)
        written(`{{ printf "${text}" .PodMeta.Name }}`)
      }),
      { numRuns: 400 },
    )
  })
  test('stays as it is outside of actions', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('{{')),
        (text) => write(text) === text,
      ),
    )
  })
})
