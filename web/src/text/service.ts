// Brings the words of the service's pages: accounts, people, clients, privacy. Every page that uses them begins by importing this.
import { serviceWords } from './en-service';
import { learn } from './index';

learn(serviceWords);
