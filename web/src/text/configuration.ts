// Brings the words of the configuration editor. Every page that uses them begins by importing this.
import { configurationWords } from './en-configuration';
import { learn } from './index';

learn(configurationWords);
