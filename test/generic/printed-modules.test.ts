/** Printing a module never throws, whatever its attributes hold: a program may set them to anything. */
import { expect } from 'chai';
import { nn, Tensor } from '../../lib/index.js';
import { moduleSamples } from '../samples/modules.js';

/** An array that contains itself. */
const endless: unknown[] = [];
endless.push(endless);

const ODD: Readonly<Record<string, unknown>> = {
  'a symbol': Symbol('odd'),
  null: null,
  undefined,
  'an object': {},
  'a list of null': [null],
  'a function': () => 1,
  'a bigint': 1n,
  'an array that contains itself': endless,
  'an object without prototype': Object.create(null),
};

/** Members that are null in some samples. */
const GUARDED = [
  'weight',
  'posWeight',
  'qProjWeight',
  'kProjWeight',
  'vProjWeight',
  'biasK',
  'biasV',
  'bias',
  'norm',
  'runningMean',
  'runningVar',
  'numBatchesTracked',
];

describe('printing with odd attributes', () => {
  for (const { name, make } of moduleSamples.values()) {
    it(name, () => {
      const module = make() as unknown as Record<string, unknown>;
      // A parameter, a buffer or a module takes nothing but its kind or null.
      const isMember = (value: unknown): boolean => value instanceof Tensor || value instanceof nn.Module;
      const held = (key: string): boolean => isMember(module[key]) || GUARDED.includes(key);
      const properties = Object.keys(module).filter((key) => !held(key));
      for (const property of properties) {
        const before = module[property];
        for (const [what, value] of Object.entries(ODD)) {
          module[property] = value;
          let text: unknown;
          expect(() => {
            text = String(module);
          }, `${property} is ${what}`).not.to.throw();
          expect(text).to.be.a('string').and.not.equal('');
        }
        module[property] = before;
      }
    });
  }
});
