//! Named points between the steps of spool and delivery, at which a test can look at the disk or end everything (attack catalogue
//! TC2). In a program nothing of this is there: [`reached`] does nothing, known while compiling.

/// A step was reached, `…` done or about to be done.
#[cfg(not(test))]
#[inline(always)]
pub const fn reached(_point: &'static str) {}

/// A step was reached: whoever watches this thread is told.
#[cfg(test)]
pub fn reached(point: &'static str) {
    watch::tell(point);
}

#[cfg(test)]
pub(crate) mod watch {
    //! Who watches the points of a thread.

    use std::cell::RefCell;

    type Watcher = Box<dyn FnMut(&'static str)>;

    thread_local! {
        static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
    }

    /// Tells every point that the work reaches on this thread, until it ends.
    pub(crate) fn during<T>(watcher: impl FnMut(&'static str) + 'static, work: impl FnOnce() -> T) -> T {
        WATCHER.set(Some(Box::new(watcher)));
        let done = work();
        WATCHER.take();
        done
    }

    pub(super) fn tell(point: &'static str) {
        // Taken out meanwhile: the watcher may end the thread's work, and what is closed then reaches no point.
        if let Some(mut watcher) = WATCHER.take() {
            watcher(point);
            WATCHER.set(Some(watcher));
        }
    }
}
