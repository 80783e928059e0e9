// Brings the words of the Tasks and Automation pages. Every page that uses them begins by importing this.
import { tasksWords } from './en-tasks';
import { learn } from './index';

learn(tasksWords);
