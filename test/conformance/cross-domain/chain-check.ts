/** A place where a chain of X.509 is judged, behind the question whether it believes what it is shown. */
import type { Presented } from './attacks.ts'

export interface ChainCheck {
  readonly place: string
  /** Whom the place is made to believe: our own trust domain alone, or federated ones too. */
  readonly believes: 'own' | 'federated'
  /** Path of the ID that it expects. */
  readonly path: string
  readonly judge: (presented: Presented) => Promise<boolean>
}
