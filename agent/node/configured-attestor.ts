/** The node attestor that the configuration chose. */
import { randomBytes } from 'node:crypto'
import { readText } from '../../config/read-text.ts'
import type { AgentConfig } from '../config.ts'
import { joinTokenAttestor } from './join-token.ts'
import { k8sPsatAttestor } from './k8s-psat.ts'
import type { NodeAttestor } from './node-attestor.ts'
import { x509PopAttestor } from './x509pop.ts'

export function configuredAttestor({
  nodeAttestor,
  joinToken,
}: Pick<AgentConfig, 'nodeAttestor' | 'joinToken'>): NodeAttestor {
  switch (nodeAttestor.kind) {
    case 'join_token':
      return joinTokenAttestor(joinToken)
    case 'k8s_psat':
      return k8sPsatAttestor(nodeAttestor, { readText })
    case 'x509pop':
      return x509PopAttestor(nodeAttestor, { readText, randomBytes })
    default:
      return nodeAttestor satisfies never
  }
}
