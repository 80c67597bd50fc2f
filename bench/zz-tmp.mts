import { benchInFlight } from './in-flight.ts';
console.log(JSON.stringify(await benchInFlight()));
