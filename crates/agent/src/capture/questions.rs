//! Questions that wait for a thread that is slow: a few, and the oldest gives way, since nobody waits for its answer any more.

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

/// Questions that wait at most.
const QUEUE_MAX: usize = 8;

/// The queue.
pub struct Questions<Q> {
    put: Sender<Q>,
    take: Receiver<Q>,
}

impl<Q> Default for Questions<Q> {
    fn default() -> Self {
        let (put, take) = bounded(QUEUE_MAX);
        Self { put, take }
    }
}

impl<Q> Questions<Q> {
    /// Puts a question in; gives the one that gave way.
    pub fn put(&self, question: Q) -> Option<Q> {
        match self.put.try_send(question) {
            Err(TrySendError::Full(question)) => {
                let oldest = self.take.try_recv().ok();
                let _ = self.put.try_send(question);
                oldest
            }
            Ok(()) | Err(TrySendError::Disconnected(_)) => None,
        }
    }

    /// Where a thread takes them out.
    pub fn waiting(&self) -> Receiver<Q> {
        self.take.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_question_gives_way() {
        let questions = Questions::default();
        let gave_way: Vec<usize> = (0..QUEUE_MAX + 2).filter_map(|number| questions.put(number)).collect();
        assert_eq!(gave_way, [0, 1]);
        assert_eq!(questions.waiting().try_iter().collect::<Vec<_>>(), (2..QUEUE_MAX + 2).collect::<Vec<_>>());
    }
}
