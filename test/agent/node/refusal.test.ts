import { expect, test } from 'vitest'
import { isAboutTheAgent, reactionTo } from '../../../agent/node/refusal.ts'
import type { ErrorCode } from '../../../spiffe/error.ts'

test.for([
  ['AGENT_EXPIRED', 'reattest', 'stop'],
  ['AGENT_NOT_ATTESTED', 'reattest', 'stop'],
  ['AGENT_NOT_ACTIVE', 'reattest', 'stop'],
  ['AGENT_MUST_REATTEST', 'reattest', 'stop'],
  ['AGENT_BANNED', 'stop', 'stop'],
  ['NOT_AUTHORIZED', 'retry', 'retry'],
  ['UNAVAILABLE', 'retry', 'retry'],
  ['CERTIFICATE_UNTRUSTED', 'retry', 'retry'],
  ['INTERNAL', 'retry', 'retry'],
] as const satisfies readonly (readonly [ErrorCode, string, string])[])(
  '%s means %s for an agent that can attest again, and %s for one that cannot',
  ([code, whenItCan, whenItCannot]) => {
    expect(reactionTo(code, true).kind).toBe(whenItCan)
    expect(reactionTo(code, false).kind).toBe(whenItCannot)
    expect(isAboutTheAgent(code)).toBe(whenItCannot === 'stop')
  },
)
