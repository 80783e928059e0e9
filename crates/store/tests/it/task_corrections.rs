//! Corrections of tasks in the control database, over both kinds of it: kept in order, taken back and not lost.

use crate::support::{NOW_US, over_both, project};
use store::control::task_corrections::{CorrectionKind, SpokenOf, TaskCorrection};

fn correction(id: &str, project: &str, kind: CorrectionKind) -> TaskCorrection {
    let task = |name: &str| SpokenOf {
        task_type: "0a1b2c3d".into(),
        name: name.into(),
        profile: vec!["copy | A#".into(), "say \"OK\"".into()],
    };
    TaskCorrection {
        id: id.into(),
        project: project.into(),
        kind,
        task: task("one"),
        name: (kind == CorrectionKind::Rename).then(|| "Another name".into()),
        other: (kind == CorrectionKind::Merge).then(|| task("other")),
        step: (kind == CorrectionKind::Split).then(|| "copy | A#".into()),
        made_by: "ann".into(),
        made_at_us: NOW_US,
        withdrawn_by: None,
        withdrawn_at_us: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn corrections_stay_in_their_order_and_one_that_is_taken_back_keeps_its_row() {
    over_both(async |place| {
        let store = place.open().await;
        let control = store.control();
        let (orders, other) = (project(&store, "Orders").await, project(&store, "Other").await);
        // Ids say nothing about the order.
        let kinds = [
            ("z", CorrectionKind::Rename),
            ("a", CorrectionKind::Merge),
            ("m", CorrectionKind::Split),
            ("b", CorrectionKind::Reject),
            ("y", CorrectionKind::Confirm),
        ];
        let made: Vec<TaskCorrection> = kinds.iter().map(|(id, kind)| correction(id, &orders.id, *kind)).collect();
        for one in &made {
            control.put_task_correction(one).await.unwrap();
        }
        assert_eq!(control.task_corrections(&orders.id).await.unwrap(), made);
        assert_eq!(control.task_corrections(&other.id).await.unwrap(), []);

        assert!(!control.withdraw_task_correction(&other.id, "a", "bob", NOW_US).await.unwrap(), "a foreign project's");
        assert!(control.withdraw_task_correction(&orders.id, "a", "bob", NOW_US + 1).await.unwrap());
        assert!(
            !control.withdraw_task_correction(&orders.id, "a", "eve", NOW_US + 2).await.unwrap(),
            "taken back twice"
        );
        let kept = control.task_corrections(&orders.id).await.unwrap();
        assert_eq!((kept.len(), kept[1].withdrawn_by.as_deref()), (5, Some("bob")));
        assert_eq!(kept[1].withdrawn_at_us, Some(NOW_US + 1));
        control.delete_project(&orders.id).await.unwrap();
        assert_eq!(control.task_corrections(&orders.id).await.unwrap(), []);
    })
    .await;
}
