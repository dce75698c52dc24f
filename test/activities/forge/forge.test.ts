import { forgeContract } from './contract.ts'
import { fakeWorld, localWorld } from './worlds.ts'

forgeContract('fake', fakeWorld)
forgeContract('local', localWorld)
